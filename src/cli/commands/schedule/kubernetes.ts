import { AisecError } from '../../../base/errors.js';
import { defineCommand, type Context } from '../../command.js';
import { carriedSettings, historyFile, notifyOptions, oneLine, ONLY_OPTION, type ScheduleOptions } from './options.js';

interface Options extends ScheduleOptions {
  readonly image?: string;
  readonly secret: string;
  readonly claim: string;
  readonly dir: string;
}

/** @throws AisecError USAGE. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
function objectName(text: string): string {
  if (/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw new AisecError('USAGE', `invalid name "${text}"`, {
    hint: 'Names of Kubernetes have lower-case letters, digits, hyphens and dots.',
  });
}

function mountPath(text: string): string {
  if (text.startsWith('/') && !text.includes(':')) return oneLine('--dir', text);
  throw new AisecError('USAGE', `invalid directory "${text}"`, {
    hint: 'Give an absolute path in the container, without a colon.',
  });
}

async function run(context: Context, options: Options): Promise<void> {
  const { only, image, secret, claim, dir: backupDir } = options;
  if (image === undefined)
    throw new AisecError('USAGE', 'no image was given', {
      hint: 'Give one that has aisec, and pg_dump for the backups: --image registry.example.com/aisec:1.0.0',
    });
  const { chooseJobs, scheduledJobs } = await import('../../../features/schedule/jobs.js');
  const { kubernetesText } = await import('../../../features/schedule/kubernetes.js');
  const jobs = chooseJobs(scheduledJobs(backupDir, historyFile(context, options)), only);
  const place = {
    image: oneLine('--image', image),
    secret,
    claim,
    backupDir,
    settings: carriedSettings(context, backupDir),
  };
  const text = kubernetesText(jobs, place);
  context.output.result({ jobs, manifest: text }, () => text.trimEnd());
}

export const scheduleKubernetes = defineCommand<Options>({
  name: 'schedule kubernetes',
  summary: 'print a Kubernetes CronJob for each job',
  description:
    'Prints a CronJob for each job that the database needs, for kubectl apply. The URL of the database is the key database-url of a Secret; the backups are on a PersistentVolumeClaim. ' +
    'Times are UTC. The containers run as user 1000 without privileges. Needs no database.',
  options: [
    ONLY_OPTION,
    ...notifyOptions('the key notify-url of the Secret', '/backups/doctor.json'),
    { flags: '--image <image>', description: 'image that has aisec, and pg_dump and pg_restore for the backups' },
    { flags: '--secret <name>', description: 'Secret with the key database-url', default: 'aisec', parse: objectName },
    {
      flags: '--claim <name>',
      description: 'PersistentVolumeClaim of the backups',
      default: 'aisec-backups',
      parse: objectName,
    },
    {
      flags: '--dir <dir>',
      description: 'where the backups are in the container',
      default: '/backups',
      parse: mountPath,
    },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec schedule kubernetes --image example.com/aisec:1 | kubectl apply -f -', 'Create the CronJobs'],
    ['aisec schedule kubernetes --image aisec:1.0.0 --only partitions,archive', 'Two of the jobs'],
  ],
  run,
});
