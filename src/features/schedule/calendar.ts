/** When a job runs: every hour at a minute, every day, once a week (0 is Sunday) or once a month. In the time zone of the scheduler. */
export interface Calendar {
  readonly minute: number;
  readonly hour?: number;
  readonly weekday?: number;
  /** Of the month. */
  readonly day?: number;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** The five fields of cron, which Kubernetes takes as well. */
export function cronFields({ minute, hour, weekday, day }: Calendar): string {
  return `${minute} ${hour ?? '*'} ${day ?? '*'} * ${weekday ?? '*'}`;
}

/** OnCalendar= of a timer. https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html */
export function onCalendar({ minute, hour, weekday, day }: Calendar): string {
  const time = `${hour === undefined ? '*' : twoDigits(hour)}:${twoDigits(minute)}:00`;
  return `${weekday === undefined ? '' : `${WEEKDAYS[weekday] ?? ''} `}*-*-${day === undefined ? '*' : twoDigits(day)} ${time}`;
}
