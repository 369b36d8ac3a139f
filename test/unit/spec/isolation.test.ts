import test from 'ava'
import { isRktError } from '../../../src/base/index.ts'
import { asIsolation, isolationText, parseIsolation, reachesLevel } from '../../../src/spec/index.ts'

for (const text of ['fly', 'ns', 'kvm', 'oci:crun', 'oci:/usr/bin/runsc']) {
  test(`parseIsolation() reads ${text}, and isolationText() writes it back`, (t) => t.is(isolationText(parseIsolation(text)), text))
}

for (const text of ['', 'vm', 'FLY', 'oci', 'oci:', 'oci:../runc', 'oci:-x', 'oci:a b', 'ns:', 'oci:/a\nb']) {
  test(`parseIsolation() refuses ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => parseIsolation(text))
    t.true(isRktError(error, 'usage'))
    t.is(asIsolation(text), undefined)
  })
}

test('reachesLevel() counts an OCI runtime as namespaces', (t) => {
  t.true(reachesLevel({ kind: 'oci', runtime: 'runsc' }, 'ns'))
  t.false(reachesLevel({ kind: 'oci', runtime: 'runsc' }, 'kvm'))
  t.true(reachesLevel({ kind: 'kvm' }, 'fly'))
  t.false(reachesLevel({ kind: 'fly' }, 'ns'))
})
