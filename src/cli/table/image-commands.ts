import { fullFlag, formatFlag, noLegendFlag, prettyPrintFlag } from './pod-flags.ts'
import type { Command, Flag } from './types.ts'

/** Flags of the commands that unpack an image for the user. */
const outputFlags: readonly Flag[] = [
  { name: 'rootfs-only', type: 'bool', help: 'unpack the root file system alone, into the directory itself' },
  { name: 'overwrite', type: 'bool', help: 'replace the output directory' },
]

/** The commands below `rkt image`. */
export function imageCommands(fetch: Command): readonly Command[] {
  return [
    {
      name: 'build',
      summary: 'Build an image from a manifest and a root file system',
      usage: '--manifest=FILE --rootfs=DIR OUTPUT.aci',
      description: 'Writes a reproducible ACI: the same input gives the same bytes. Nothing is signed; see "rkt image sign".',
      grammar: 'mixed',
      flags: [
        { name: 'manifest', type: 'text', placeholder: 'FILE', help: 'the image manifest' },
        { name: 'rootfs', type: 'text', placeholder: 'DIR', help: 'the root file system' },
        { name: 'compression', type: 'text', default: 'gzip', placeholder: 'none|gzip', help: 'compression of the image' },
        { name: 'overwrite', type: 'bool', help: 'replace the output file' },
      ],
      load: () => import('../commands/image-build.ts'),
    },
    {
      name: 'cat-manifest',
      summary: 'Inspect and print the image manifest',
      usage: 'IMAGE',
      description: 'IMAGE should be a string referencing an image: either an ID or an image name.',
      grammar: 'mixed',
      flags: [prettyPrintFlag],
      load: () => import('../commands/image-cat-manifest.ts'),
    },
    {
      name: 'export',
      summary: 'Export a stored image to an ACI file',
      usage: '[--overwrite] IMAGE OUTPUT_ACI_FILE',
      description: 'Writes the uncompressed archive, byte for byte as it was published.',
      grammar: 'mixed',
      flags: [{ name: 'overwrite', type: 'bool', help: 'replace the output file' }],
      load: () => import('../commands/image-export.ts'),
    },
    {
      name: 'extract',
      summary: 'Extract a stored image to a directory',
      usage: '[--rootfs-only] [--overwrite] IMAGE OUTPUT_DIR',
      description: 'Unpacks what is in the image itself: its manifest, and its root file system without those of its dependencies. Devices are left out.',
      grammar: 'mixed',
      root: true,
      flags: outputFlags,
      load: () => import('../commands/image-extract.ts'),
    },
    { ...fetch, hidden: true },
    {
      name: 'gc',
      summary: 'Garbage collect local store',
      usage: '',
      description: 'Removes rendered trees that no pod uses, and images that no pod uses and that were last used before the grace period.',
      grammar: 'mixed',
      flags: [{ name: 'grace-period', type: 'duration', default: '24h', placeholder: 'DURATION', help: 'duration since an image was last used, before it is removed' }],
      load: () => import('../commands/image-gc.ts'),
    },
    {
      name: 'list',
      summary: 'List images in the local store',
      usage: '',
      grammar: 'mixed',
      flags: [
        { name: 'fields', type: 'text', default: 'id,name,size,importtime,lastused', placeholder: 'FIELD,…', help: 'comma-separated list of fields to print' },
        { name: 'sort', type: 'text', default: 'importtime', placeholder: 'FIELD,…', help: 'fields to sort by: name, importtime, lastused, size' },
        { name: 'order', type: 'text', default: 'asc', placeholder: 'asc|desc', help: 'order of the sort' },
        noLegendFlag,
        fullFlag,
        formatFlag,
      ],
      load: () => import('../commands/image-list.ts'),
    },
    {
      name: 'render',
      summary: 'Render a stored image to a directory with all its dependencies',
      usage: '[--rootfs-only] [--overwrite] IMAGE OUTPUT_DIR',
      description: 'Unpacks the image as an app of it would see it. Devices are left out.',
      grammar: 'mixed',
      root: true,
      flags: outputFlags,
      load: () => import('../commands/image-render.ts'),
    },
    {
      name: 'rm',
      summary: 'Remove one or more images with the given IDs or image names from the local store',
      usage: 'IMAGE...',
      description: 'Images of prepared and running pods may be removed: pods keep what they need.',
      grammar: 'mixed',
      flags: [],
      load: () => import('../commands/image-rm.ts'),
    },
    {
      name: 'sign',
      summary: 'Sign an image file, or an OCI image in a registry or layout',
      usage: '[--key=KEY] FILE | docker://IMAGE | oci:DIR[:REF]',
      description: 'Writes FILE.asc, a detached OpenPGP signature that "rkt fetch" and GnuPG verify.\nAn OCI image is signed as podman and skopeo do: with an OpenPGP key into the lookaside directory that registries.d names, with a private key in PEM form beside the image, as a tag and as a bundle.',
      grammar: 'mixed',
      flags: [
        { name: 'key', type: 'text', placeholder: 'KEY', help: "fingerprint or address of a secret key in GnuPG's key ring (default: GnuPG's own default), or a file with a private key in PEM form" },
        { name: 'key-file', type: 'text', placeholder: 'FILE', help: 'armored secret key without a passphrase, instead of the key ring, or a private key in PEM form' },
        { name: 'passphrase-file', type: 'text', placeholder: 'FILE', help: 'passphrase of an encrypted private key in PEM form (default: the variable COSIGN_PASSWORD)' },
        { name: 'identity', type: 'text', placeholder: 'NAME', help: 'what the OCI image is called in the signature (default: the name in the registry)' },
        { name: 'detached', type: 'bool', help: 'put a detached OpenPGP signature beside the OCI image' },
        { name: 'output', type: 'text', placeholder: 'FILE', help: 'the signature file (default: FILE.asc), or the lookaside directory of an OCI image' },
        { name: 'overwrite', type: 'bool', help: 'replace the signature file' },
      ],
      load: () => import('../commands/image-sign.ts'),
    },
    {
      name: 'verify',
      summary: 'Verify one or more rendered images in the local store',
      usage: 'IMAGE...',
      description: 'Compares the rendered tree of each image with the checksum taken when it was unpacked. A damaged tree is rendered anew.',
      grammar: 'mixed',
      flags: [],
      load: () => import('../commands/image-verify.ts'),
    },
  ]
}
