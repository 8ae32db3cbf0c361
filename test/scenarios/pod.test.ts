import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';
import { describeOnSmallDisk } from '../support/small-disk.js';

const root = path.dirname(path.dirname(import.meta.dirname));
/** No user has it: there is no name, no home directory, no shell. */
const USER = 12_345;
/** As a container is for its program. $1 is the package, $2 what is mounted; what follows is env's. */
const POD = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/app /mnt/place /mnt/bin
mount --bind "$1" /mnt/app
mount --bind "$2" /mnt/place
mount --bind "$(dirname "$3")" /mnt/bin
shift 3
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
cd /
exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --no-new-privs --bounding-set=-all env -i "$@"`;

interface Ran {
  readonly job: string;
  readonly exitCode: number;
  readonly stderr: string;
}

describeOnSmallDisk('in a pod of aisec schedule kubernetes', () => {
  describeOnServer('whose root is read-only and whose user has no name', () => {
    const place = mkdtempSync(path.join(tmpdir(), 'aisec-test-pod-'));
    const backups = path.join(place, 'backups');

    beforeAll(async () => {
      const database = await createServerDatabase({ migrated: true });
      chmodSync(place, 0o755);
      mkdirSync(backups);
      const url = path.join(place, 'database-url');
      writeFileSync(url, database.url, { mode: 0o440 });
      for (const its of [backups, url]) chownSync(its, USER, USER);
    });
    afterAll(() => rmSync(place, { recursive: true }));

    function inPod(job: string, args: readonly string[], settings: readonly string[]): Promise<Ran> {
      const environment = [...settings, `PATH=${process.env['PATH'] ?? ''}`];
      const command = ['/mnt/bin/node', '/mnt/app/bin/aisec.js', ...args];
      const pod = ['--mount', 'sh', '-c', POD, 'pod', root, place, process.execPath, ...environment, ...command];
      return new Promise((resolve) => {
        execFile('unshare', pod, (error, _stdout, stderr) => {
          resolve({ job, exitCode: error === null ? 0 : Number(error.code), stderr });
        });
      });
    }

    test('every job does its work, or finds what there is to find', async () => {
      const args = ['schedule', 'kubernetes', '--image', 'aisec:1', '--dir', '/mnt/place/backups'];
      const printed = await runInProcess(args, { env: {} });
      const ran: Ran[] = [];
      for (const document of parseAllDocuments(printed.stdout)) {
        const cronJob = new CronJob(document.toJS() as ConstructorParameters<typeof CronJob>[0]);
        const pod = cronJob.spec?.jobTemplate.spec?.template.spec;
        const [container] = pod?.containers ?? [];
        expect(container?.securityContext?.readOnlyRootFilesystem).toBe(true);
        expect(pod?.volumes).toContainEqual({ name: 'tmp', emptyDir: {} });
        const settings = (container?.env ?? []).map(({ name, value }) => `${name}=${value ?? ''}`);
        settings.push('AISEC_DATABASE_URL_FILE=/mnt/place/database-url');
        ran.push(await inPod(cronJob.metadata?.name ?? '', container?.args ?? [], settings));
      }
      const good = ran.filter(({ job }) => job !== 'aisec-doctor');
      expect(good).toEqual(good.map(({ job }) => ({ job, exitCode: 0, stderr: '' })));
      // What it finds is the server's business.
      expect(ran.find(({ job }) => job === 'aisec-doctor')?.exitCode).toBeOneOf([0, 3]);
      expect(readdirSync(backups).filter((name) => name.endsWith('.dump'))).toHaveLength(1);
    });
  });
});
