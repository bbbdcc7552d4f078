/** Numbers as people read them. Missing is "–", never 0. */

const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : count.format(value)
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–'
  return bytes < 999.5 ? `${bytes.toFixed(0)} B` : scaled(bytes, ['', 'k', 'M', 'G', 'T'], 'B')
}

/** 32,000,000,000 FLOP/s → "32.0 GFLOP/s": under a prefix of thousands, with one decimal below a hundred. */
function scaled(value: number, prefixes: readonly string[], unit: string): string {
  let rest = value
  let at = 0
  while (rest >= 999.5 && at < prefixes.length - 1) {
    rest /= 1000
    at += 1
  }
  return `${rest >= 99.5 ? rest.toFixed(0) : rest.toFixed(1)} ${prefixes[at]}${unit}`
}

/** What a second does of something there is much of: (3.2e10, 'FLOP') → "32 GFLOP/s". */
export function formatRate(perSec: number | null | undefined, what: string): string {
  return perSec === null || perSec === undefined ? '–' : scaled(perSec, ['', 'k', 'M', 'G', 'T', 'P'], `${what}/s`)
}

/** 850 ms → "0.9 s", 34 000 → "34 s", 98 000 → "1 min 38 s", 13 200 000 → "3 h 40 min". */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–'
  if (ms < 9_950) return `${(Math.round(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A plain number with `digits` significant digits, whole numbers whole: 0.7132 → "0.713", 1234.5 → "1,235", 0.0000012 → "1.2e−6". */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e7))
    return value.toExponential(Math.max(0, digits - 2)).replaceAll('-', '−')
  const decimals = Number.isInteger(value) ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)))
  return value
    .toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    .replace('-', '−')
}

/** Decimals that show two digits of an uncertainty. */
export function intervalDecimals(half: number): number {
  return Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(half))))
}

/**
 * A mean with the half-width of its interval, cut at the interval's second digit: (0.7132, 0.031) → "0.713 ± 0.031".
 * @param half half of the interval's width; null when there is none
 */
export function formatInterval(mean: number | null, half: number | null): string {
  if (mean === null) return '–'
  if (half === null || !Number.isFinite(half) || half <= 0) return formatNumber(mean)
  const decimals = intervalDecimals(half)
  return `${mean.toFixed(decimals).replace('-', '−')} ± ${half.toFixed(decimals)}`
}

export function formatPercent(fraction: number | null | undefined, digits = 0): string {
  return fraction === null || fraction === undefined ? '–' : `${(fraction * 100).toFixed(digits)} %`
}

export function formatRelative(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000)
  if (seconds < 10) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 2 * 86_400) return 'yesterday'
  return new Date(atMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

export function formatDateTime(atMs: number): string {
  return new Date(atMs).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}
