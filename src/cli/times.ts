const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const weekMs = 7 * dayMs
const monthMs = 30 * dayMs
const yearMs = 12 * monthMs

/** Below each age: its words, and what `%d` counts. */
const magnitudes: readonly (readonly [ageMs: number, words: string, unitMs: number])[] = [
  [secondMs, 'now', secondMs],
  [2 * secondMs, '1 second ago', secondMs],
  [minuteMs, '%d seconds ago', secondMs],
  [2 * minuteMs, '1 minute ago', minuteMs],
  [hourMs, '%d minutes ago', minuteMs],
  [2 * hourMs, '1 hour ago', hourMs],
  [dayMs, '%d hours ago', hourMs],
  [2 * dayMs, '1 day ago', dayMs],
  [weekMs, '%d days ago', dayMs],
  [2 * weekMs, '1 week ago', weekMs],
  [monthMs, '%d weeks ago', weekMs],
  [2 * monthMs, '1 month ago', monthMs],
  [yearMs, '%d months ago', monthMs],
  [18 * monthMs, '1 year ago', yearMs],
  [2 * yearMs, '2 years ago', yearMs],
  [37 * yearMs, '%d years ago', yearMs],
]

/** How long ago `thenMs` was, in words; an unknown time was a long while ago, a future one is now. */
export function relativeTime(thenMs: number | undefined, nowMs: number): string {
  const ageMs = nowMs - (thenMs ?? 0)
  const found = magnitudes.find(([limitMs]) => ageMs < limitMs)
  if (found === undefined) return 'a long while ago'
  const [, words, unitMs] = found
  return words.replace('%d', String(Math.floor(ageMs / unitMs)))
}

/** A time as Go's layout `2006-01-02 15:04:05.999 -0700 MST` writes it, in the local time zone. */
export function longTime(timeMs: number): string {
  const time = new Date(timeMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const fraction = time.getMilliseconds() === 0 ? '' : `.${String(time.getMilliseconds()).padStart(3, '0')}`.replace(/0+$/, '')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}${fraction}`
  const minutes = -time.getTimezoneOffset()
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
  return `${date} ${clock} ${offset} ${zoneName(time, minutes, offset)}`
}

/** `UTC`, an abbreviation that is known for the zone, else the offset, as in Go. */
function zoneName(time: Date, minutes: number, offset: string): string {
  if (minutes === 0 && Intl.DateTimeFormat().resolvedOptions().timeZone === 'UTC') return 'UTC'
  for (const locale of ['en-US', 'en-GB', 'en-AU']) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(time)
    const name = parts.find((part) => part.type === 'timeZoneName')?.value
    if (name !== undefined && /^[A-Z]{3,5}$/.test(name)) return name
  }
  return offset.replace(/00$/, '')
}
