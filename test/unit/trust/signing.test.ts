import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { isPrivateKeyPem, readPrivateKey } from '../../../src/trust/index.ts'
import { openSecretbox } from '../../../src/trust/signing/secretbox.ts'

// The vector of "Cryptography in NaCl", section 10.
const key = hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389')
const nonce = hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37')
const box = hex(
  'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738' +
    'b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
)
const text = hex(
  'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057' +
    'e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705',
)

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

/** A P-256 key of this test alone, encrypted with the passphrase "secret" in the form of cosign. */
const encrypted = Buffer.from(`-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjozMjc2OCwiciI6
OCwicCI6MX0sInNhbHQiOiJkdU91ZDNqYWJxRGRzdmpFb1gxVGVNNkRpL2p3R3pV
M0hEWkcvcTRUS0xzPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJnQ2I5bWlJbzZXRnJvWFpMeEExakJyZEhJVGVmYXovSCJ9LCJj
aXBoZXJ0ZXh0IjoiYkJxN1lXanQ3VlBNMDcrSnNpakpYYjdCMCsrZ0wwR3V4MFEr
NFRuVnhycDJjdWFZNllaaEc4MG9JNFVOMk01Zk1TdEFteFNEdjErUmZOekh3TlY0
N0dIYXJTRnR1UWhJdmh3K1lGTmNTQk0wZmcxUm5xRjNqQnVHcGRydDFONjQ0d2l2
V1FkNlF3Vy8xWTc3NnZxa2gycjZSaFd4eTVuc3pyUm1VZG83TE1rc1IvNmNJNEMv
VTkyUWZEd010UXd6SWVZd2M0K00xeTlqeUE9PSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----
`)
const publicPem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5AmgwksnvtojYtiCIIcHb0cn/PQT
DWgC4PBnNiPlo3OeWTh/WJY4b+PObSY06sNw9drT4cjHfdTiy65a2HC0oQ==
-----END PUBLIC KEY-----
`

test('openSecretbox() opens the published vector, and nothing that differs in one bit', (t) => {
  t.deepEqual(Buffer.from(openSecretbox(box, { key, nonce }) ?? []), text)
  for (let at = 0; at < box.byteLength; at += 1) {
    const changed = Buffer.from(box)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.is(openSecretbox(changed, { key, nonce }), undefined)
  }
  t.is(openSecretbox(box, { key: key.subarray(1), nonce }), undefined)
  t.is(openSecretbox(box.subarray(0, 15), { key, nonce }), undefined)
})

test('readPrivateKey() reads keys that cosign encrypted, with the right passphrase only', (t) => {
  t.true(isPrivateKeyPem(encrypted))
  const read = (passphrase?: string): unknown => createPublicKey(readPrivateKey(encrypted, { what: 'the key', passphrase: passphrase === undefined ? undefined : Buffer.from(passphrase) })).export({ format: 'pem', type: 'spki' })
  t.is(read('secret'), publicPem)
  t.throws(() => read('Secret'), { code: 'key-invalid', message: /passphrase is wrong/ })
  t.throws(() => read(), { code: 'usage', message: /no passphrase is given/ })
})

test('readPrivateKey() reads plain and encrypted keys of OpenSSL, and no other kind of key', (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = (options: object): Buffer => Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8', ...options }))
  const passphrase = Buffer.from('secret')
  t.truthy(readPrivateKey(pem({}), { what: 'the key', passphrase: undefined }))
  t.truthy(readPrivateKey(Buffer.from(privateKey.export({ format: 'pem', type: 'sec1' })), { what: 'the key', passphrase: undefined }))
  const locked = pem({ cipher: 'aes-256-cbc', passphrase: 'secret' })
  t.truthy(readPrivateKey(locked, { what: 'the key', passphrase }))
  t.throws(() => readPrivateKey(locked, { what: 'the key', passphrase: undefined }), { code: 'usage' })
  t.throws(() => readPrivateKey(locked, { what: 'the key', passphrase: Buffer.from('no') }), { code: 'key-invalid' })
  t.throws(() => readPrivateKey(Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })), { what: 'the key', passphrase: undefined }), { code: 'key-invalid' })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' })
  t.throws(() => readPrivateKey(Buffer.from(weak), { what: 'the key', passphrase: undefined }), { code: 'key-invalid', message: /RSA key of 1024 bits/ })
  t.false(isPrivateKeyPem(Buffer.from('-----BEGIN PGP PRIVATE KEY BLOCK-----')))
})
