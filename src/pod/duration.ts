/** A whole number of seconds as Go prints a duration: `30m0s`, `24h0m0s`, `0s`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60] as const
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${parts[1]}m${parts[2]}s`
  return `${parts[0]}h${parts[1]}m${parts[2]}s`
}
