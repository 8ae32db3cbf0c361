import { stringify } from 'yaml';

import { cronFields } from './calendar.js';
import type { Job } from './jobs.js';

export interface KubernetesPlace {
  readonly image: string;
  /** A Secret whose key `database-url` is the URL, and `notify-url` that of the webhook. */
  readonly secret: string;
  /** A PersistentVolumeClaim for the backups. */
  readonly claim: string;
  readonly backupDir: string;
  readonly settings: Readonly<Record<string, string>>;
}

const SECRET_DIR = '/etc/aisec';
/** Read by the group that fsGroup gives to the volume. */
const SECRET_MODE = 0o440;
/** Time for a signal to be obeyed: the statement is cancelled, partial files are removed. */
const GRACE_SECONDS = 60;

function podOf(job: Job, place: KubernetesPlace): object {
  const mounts = [
    { name: 'database-url', mountPath: SECRET_DIR, readOnly: true },
    { name: 'tmp', mountPath: '/tmp', readOnly: false },
  ];
  const volumes: object[] = [
    { name: 'database-url', secret: { secretName: place.secret, defaultMode: SECRET_MODE } },
    // The one place beside the backups that is written to: a password file for pg_dump, and parts of a backup that is read.
    { name: 'tmp', emptyDir: {} },
  ];
  if (job.usesBackups) {
    mounts.push({ name: 'backups', mountPath: place.backupDir, readOnly: false });
    volumes.push({ name: 'backups', persistentVolumeClaim: { claimName: place.claim } });
  }
  const env = {
    AISEC_DATABASE_URL_FILE: `${SECRET_DIR}/database-url`,
    ...(job.args.includes('--notify') && { AISEC_NOTIFY_URL_FILE: `${SECRET_DIR}/notify-url` }),
    ...place.settings,
  };
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'aisec',
        image: place.image,
        command: ['aisec'],
        args: job.args,
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: mounts,
      },
    ],
    volumes,
  };
}

/** One CronJob a job. A failed one is not repeated at once: the next one continues where it stopped. */
function cronJob(job: Job, place: KubernetesPlace): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: `aisec-${job.name}`,
      labels: { 'app.kubernetes.io/name': 'aisec', 'app.kubernetes.io/component': job.name },
      annotations: { 'kubernetes.io/description': job.purpose },
    },
    spec: {
      schedule: cronFields(job.at),
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 1800,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: { spec: { backoffLimit: 0, template: { spec: podOf(job, place) } } },
    },
  };
}

/** YAML for `kubectl apply -f -`. */
export function kubernetesText(jobs: readonly Job[], place: KubernetesPlace): string {
  return jobs.map((job) => stringify(cronJob(job, place), { lineWidth: 0 })).join('---\n');
}
