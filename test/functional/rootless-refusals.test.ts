import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { aciManifest } from '../support/aci.ts'
import { rktProgram } from '../support/paths.ts'
import { openUser, ordinaryUser, type UserOptions } from '../support/rootless-scene.ts'
import { rkt } from '../support/run.ts'

const hide = (...programs: readonly string[]): string =>
  `mkdir -p "$PLACE/hidden"; for p in ${programs.join(' ')}; do [ -e "$PLACE/hidden/$p" ] || mknod "$PLACE/hidden/$p" c 0 0; done; mount -t overlay -o "lowerdir=$PLACE/hidden:/usr/bin" overlay /usr/bin`

/** Standard error of `rkt run` as that user, which must fail. */
async function refusal(options: UserOptions, line = '$RKT run --net=none image'): Promise<string> {
  using user = openUser(options)
  const { code, stderr } = await user.bash(line)
  return code === 254 ? stderr : `status ${code}: ${stderr}`
}

test('a user without subordinate ids is refused as the original did', async (t) => {
  const none = { subordinate: { uids: 'somebody:100000:65536\n', gids: '' } }
  t.is(await refusal(none), 'run: cannot run as unprivileged user\n')
  t.is(await refusal(none, '$RKT gc'), 'gc: cannot run as unprivileged user\n')
  t.is(await refusal({ subordinate: { uids: `${ordinaryUser.name}:100000\n${ordinaryUser.name}:x:y\n`, gids: '\n' } }), 'run: cannot run as unprivileged user\n')
})

test('the data directory of root is root\'s', async (t) => {
  using user = openUser()
  mkdirSync(user.place.in('roots'))
  for (const dir of [user.place.in('roots'), user.place.in('roots/below'), '/var/lib/rkt-of-nobody']) {
    for (const words of [['run', 'image'], ['gc']]) {
      const { code, stderr } = await user.rkt([`--dir=${dir}`, ...words])
      t.is(code, 254)
      t.is(stderr, `${words[0]}: cannot run as unprivileged user\n`)
    }
  }
  const before = await user.rkt(['--dir', user.place.in('roots'), 'run', 'image'])
  t.is(before.stderr, 'run: cannot run as unprivileged user\n')
  const foreign = await user.rkt(['list'], { env: { XDG_DATA_HOME: '/var/lib' } })
  t.is(foreign.code, 0, 'nothing there, and nothing made by a list')
})

test('subordinate ids by number, in several lines, and fewer than an image may name', async (t) => {
  const { id, firstSubordinate } = ordinaryUser
  const lines = `nobody:1:1\n${id}:${firstSubordinate}:40\n# comment\n${id}:${firstSubordinate + 1000}:60\n`
  using user = openUser({ subordinate: { uids: lines, gids: lines } })
  t.regex((await user.rkt(['list'])).stdout, /^UUID/)
  using one = openUser({ subordinate: { uids: `${id}:${firstSubordinate}:40\n`, gids: '' } })
  const { code, stderr } = await one.rkt(['run', 'image'])
  t.is(code, 254)
  t.is(stderr, 'run: cannot run as an ordinary user: you have subordinate user ids (/etc/subuid), but no group ids in /etc/subgid; add them with usermod --add-subgids\n')
})

test('what is missing on the host is told in one line', async (t) => {
  const begin = 'run: cannot run as an ordinary user: '
  t.is(await refusal({ before: hide('newuidmap') }), `${begin}newuidmap or newgidmap is not installed; install the package uidmap, or run as root\n`)
  t.is(await refusal({ before: hide('newgidmap') }), `${begin}newuidmap or newgidmap is not installed; install the package uidmap, or run as root\n`)
  t.is(await refusal({ before: 'mount --bind /usr/bin/true /usr/bin/newuidmap' }), `${begin}newuidmap or newgidmap has neither the set-user-id bit nor file capabilities; install the package uidmap again\n`)
  const foreign = `cp /usr/bin/newuidmap "$PLACE/own" 2>/dev/null; chown ${ordinaryUser.id} "$PLACE/own"; mount --bind "$PLACE/own" /usr/bin/newuidmap`
  t.is(await refusal({ before: foreign }), `${begin}newuidmap or newgidmap can be changed by others than root; install the package uidmap again\n`)
  t.is(await refusal({}, 'exec setpriv --no-new-privs $RKT run --net=none image'), `${begin}the caller has set no-new-privileges, under which newuidmap has no rights; run without it, or as root\n`)
  t.is(await refusal({ before: hide('newuidmap') }, '$RKT list'), `list: cannot run as an ordinary user: newuidmap or newgidmap is not installed; install the package uidmap, or run as root\n`)
})

test('ids that root has not given are not taken', async (t) => {
  // newuidmap looks at its own files, which differ here from what the front-end saw.
  const swapped = 'mount --bind "$PLACE/as-user" /usr/bin/newgidmap'
  const stderr = await refusal({ before: `${swapped}; chmod 4755 "$PLACE/as-user"` })
  t.regex(stderr, /^rkt: cannot run as an ordinary user: newuidmap refused: .*; check that \/etc\/subuid and \/etc\/subgid give you ranges that nobody else has\n$/)
})

test('a host that allows no user namespaces says which setting it is', async (t) => {
  using user = openUser()
  const program = user.place.in('without-namespaces')
  // Root of a user namespace in which every id is mapped may set its limits; those of the host stay as they are.
  const lines = [
    '#!/bin/bash',
    'mkfifo "$0.$$"',
    // Executed anew once its ids are mapped, the shell has the rights of that root.
    `unshare --user -- sh -c 'read -r go < "$0"; exec "$@"' "$0.$$" sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec ${user.place.in('as-user')} "$@"' sh "$@" &`,
    'while [ "$(readlink /proc/$!/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.02; done',
    'for map in uid_map gid_map; do echo "0 0 4294967295" > /proc/$!/$map; done',
    'echo go > "$0.$$"',
    'wait $!',
  ]
  writeFileSync(program, `${lines.join('\n')}\n`)
  chmodSync(program, 0o755)
  const { code, stderr } = await rkt([rktProgram, 'run', '--net=none', 'image'], { program, cwd: user.home, env: { HOME: user.home } })
  t.is(code, 254)
  t.is(stderr, 'run: cannot run as an ordinary user: the kernel allows no more user namespaces; raise user.max_user_namespaces (sysctl), or run as root\n')
})

test('verbs that need nothing of it stay outside of the user namespace', async (t) => {
  using user = openUser({ before: hide('newuidmap') })
  t.is((await user.rkt(['version'])).code, 0)
  t.is((await user.rkt(['help', 'run'])).code, 0)
  t.is((await user.rkt(['completion', 'bash'])).code, 0)
})

test('an image that an ordinary user builds has the owners that its files have', async (t) => {
  using user = openUser()
  user.file('manifest', JSON.stringify(aciManifest()))
  t.is((await user.bash('mkdir rootfs && touch rootfs/file')).code, 0)
  const build = ['--manifest=manifest', '--rootfs=rootfs', '--compression=none']
  for (const words of [['image', 'build', ...build], ['--debug', '--dir', 'data', 'im', '--manifest=manifest', 'bu', '--rootfs=rootfs', '--compression=none'], ['--user-config', 'no/directory', 'image', 'build', ...build]]) {
    const { code, stderr } = await user.rkt([...words, '--overwrite', 'out.aci'])
    t.is(code, 0, stderr)
    const listed = await user.bash('tar --list --verbose --numeric-owner --file=out.aci')
    t.regex(listed.stdout, new RegExp(`^-rw\\S+ ${ordinaryUser.id}/${ordinaryUser.id} .* rootfs/file$`, 'm'))
  }
})
