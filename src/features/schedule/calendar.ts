/** When a job runs: every hour at a minute, every day, or once a week (0 is Sunday). In the time zone of the scheduler. */
export interface Calendar {
  readonly minute: number;
  readonly hour?: number;
  readonly weekday?: number;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** The five fields of cron, which Kubernetes takes as well. */
export function cronFields({ minute, hour, weekday }: Calendar): string {
  return `${minute} ${hour ?? '*'} * * ${weekday ?? '*'}`;
}

/** OnCalendar= of a timer. https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html */
export function onCalendar({ minute, hour, weekday }: Calendar): string {
  const time = `${hour === undefined ? '*' : twoDigits(hour)}:${twoDigits(minute)}:00`;
  return `${weekday === undefined ? '' : `${WEEKDAYS[weekday] ?? ''} `}*-*-* ${time}`;
}
