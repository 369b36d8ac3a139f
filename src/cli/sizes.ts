const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** A size for people, base 1024 without a blank: `9B`, `1.2MiB`, `12MiB`. */
export function humanSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const rounded = Math.floor(value * 10 + 0.5) / 10
  return `${unit > 0 && rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)}${units[unit] ?? ''}`
}
