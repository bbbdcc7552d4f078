const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** A day as C's strftime writes it, in UTC and English: what chat templates ask for. A directive that they do not use stays as it is. */
export function formatDate(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const month = MONTHS[date.getUTCMonth()]!
  const day = DAYS[date.getUTCDay()]!
  const parts: Readonly<Record<string, string>> = {
    '%d': two(date.getUTCDate()),
    '%m': two(date.getUTCMonth() + 1),
    '%b': month.slice(0, 3),
    '%B': month,
    '%y': two(date.getUTCFullYear() % 100),
    '%Y': String(date.getUTCFullYear()),
    '%a': day.slice(0, 3),
    '%A': day,
    '%H': two(date.getUTCHours()),
    '%M': two(date.getUTCMinutes()),
    '%S': two(date.getUTCSeconds()),
    '%F': date.toISOString().slice(0, 10),
    '%%': '%',
  }
  return format.replace(/%[%a-zA-Z]/g, (part) => parts[part] ?? part)
}
