import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { skopeo } from '../support/docker-registry.ts'
import { rkt, type RunResult } from '../support/run.ts'
import { temporaryDirectory } from '../support/temp.ts'

const dockerfile = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /d/e /srv/app && chmod 711 /d && echo a > /d/a && echo b > /d/e/b && ln /d/a /d/hard && chown 7:8 /srv/app && echo seed > /srv/app/file
RUN rm /d/a && rm -r /d/e && mkdir /d/e && echo c > /d/e/c && rm /bin/vi
ENV GREETING=hello
VOLUME /srv/app
WORKDIR /d
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING; pwd; find . | sort; test -e /bin/vi || echo no vi; stat -c '%a %u %g' /srv/app /d; cat /srv/app/file"]
`

test('an image of podman build runs the same from its layout, its archives, and as Docker has it', async (t) => {
  using place = temporaryDirectory()
  mkdirSync(place.in('context'))
  copyFileSync('/bin/busybox', place.in('context/busybox'))
  writeFileSync(place.in('context/Dockerfile'), dockerfile)
  const state = [`--root=${place.in('root')}`, `--runroot=${place.in('run')}`, '--storage-driver=vfs']
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: place.path, TMPDIR: place.path, XDG_RUNTIME_DIR: place.path }
  execFileSync('/usr/bin/podman', [...state, 'build', '--quiet', '--layers', '--isolation=chroot', '--tag=localhost/built', place.in('context')], { env, stdio: 'pipe' })
  const stored = `containers-storage:[vfs@${place.in('root')}+${place.in('run')}]localhost/built`
  const references = [`oci:${place.in('layout')}:1`, `oci-archive:${place.in('oci.tar')}:1`, `docker-archive:${place.in('docker.tar')}:docker.io/me/built:1`]
  for (const reference of references) skopeo(place, 'copy', '-q', stored, reference)
  const call = (...args: readonly string[]): Promise<RunResult> => rkt(['--insecure-options=image', ...args], { dir: place.in('data') })
  const expected = 'hello\n/d\n.\n./e\n./e/c\n./hard\nno vi\n755 7 8\n711 0 0\nseed\n'
  for (const reference of references) {
    const { stdout, stderr } = await call('run', '--rm', '--net=none', reference)
    t.is(stdout, expected, `${reference}: ${stderr}`)
  }
  t.is((await call('run', '--rm', '--net=none', '--no-overlay', 'docker.io/me/built:1')).stdout, expected)
  // Every one of them has the same layers, and so the same trees.
  t.is(new Set((await call('image', 'list', '--no-legend', '--full', '--fields=id')).stdout.trim().split('\n')).size, 2)
})

test('an app of an OCI image that has ended is exported with all layers and its changes', async (t) => {
  using place = temporaryDirectory()
  const { shellLayer, writeLayerImage } = await import('../support/oci-layers.ts')
  const { reference } = writeLayerImage(place.in('layout'), { layers: [shellLayer, [{ name: 'opt/a', content: 'a' }, { name: 'opt/b', content: 'b' }], [{ name: 'opt/.wh.a' }]] })
  const call = (...args: readonly string[]): Promise<RunResult> => rkt(['--insecure-options=image', ...args], { dir: place.in('data') })
  const uuid = place.in('uuid')
  t.is((await call('run', '--net=none', `--uuid-file-save=${uuid}`, reference, '--exec=/bin/touch', '--', '/opt/c')).code, 0)
  const exported = await call('export', readFileSync(uuid, 'utf8'), place.in('out.aci'))
  t.is(exported.code, 0, exported.stderr)
  t.is((await call('run', '--rm', '--net=none', place.in('out.aci'), '--exec=/bin/ls', '--', '/opt')).stdout, 'b\nc\n')
})
