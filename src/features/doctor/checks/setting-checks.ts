import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../base/bytes.js';
import type { Check, Fault, Severity, Subject } from '../check.js';
import { onServer } from './server-only.js';

interface Setting {
  readonly name: string;
  readonly value: string;
  readonly base_value: number | null;
  readonly is_pending: boolean;
}

type Settings = ReadonlyMap<string, Setting>;

const NAMES = [
  'autovacuum',
  'fsync',
  'full_page_writes',
  'idle_in_transaction_session_timeout',
  'ignore_checksum_failure',
  'listen_addresses',
  'max_connections',
  'password_encryption',
  'shared_buffers',
  'ssl',
  'synchronous_commit',
  'track_counts',
  'work_mem',
  'zero_damaged_pages',
];

async function readSettings({ session }: Subject): Promise<Settings> {
  const { rows } = await session.query<Setting>(sqlFile('doctor/settings'), [NAMES]);
  return new Map(rows.map((row) => [row.name, row]));
}

/** `alter system` and a reload; the setting may also stand in the command line or in ALTER DATABASE or ROLE. */
function set(name: string, value: string): string {
  return `alter system set ${name} = ${value};\nselect pg_reload_conf();`;
}

type SettingFault = Omit<Fault, 'object'>;

function settingCheck(
  name: string,
  severity: Severity,
  title: string,
  judge: (setting: Setting, all: Settings) => SettingFault | undefined,
): Check {
  return {
    id: `setting-${name.replaceAll('_', '-')}`,
    area: 'settings',
    severity,
    title,
    examine: onServer(async (subject) => {
      const all = await subject.once(readSettings);
      const setting = all.get(name);
      const fault = setting === undefined ? undefined : judge(setting, all);
      return fault === undefined ? [] : [{ object: name, ...fault }];
    }),
  };
}

/** A setting that is wrong when it has one value. */
function wrongWhen(name: string, wrong: string, right: string, severity: Severity, impact: string): Check {
  return settingCheck(name, severity, `${name} = ${wrong}`, ({ value }) =>
    value === wrong ? { message: `${name} is ${wrong}`, impact, fix: set(name, right) } : undefined,
  );
}

/** shared_buffers is a quarter of the memory where it was chosen. */
const MEMORY_PER_SHARED_BUFFERS = 4;

function memoryFault(max: Setting, all: Settings): SettingFault | undefined {
  const workBytes = all.get('work_mem')?.base_value ?? 0;
  const sharedBytes = all.get('shared_buffers')?.base_value ?? 0;
  const wantedBytes = (max.base_value ?? 0) * workBytes;
  if (wantedBytes <= 2 * MEMORY_PER_SHARED_BUFFERS * sharedBytes) return undefined;
  return {
    message: `max_connections ${max.value} times work_mem ${formatBytes(workBytes)} is ${formatBytes(wantedBytes)}, with shared_buffers of ${formatBytes(sharedBytes)}`,
    impact:
      'if the memory is what shared_buffers suggests, a busy hour ends with the kernel killing the server; fewer connections (pooled by the services), or shared_buffers of a quarter of the memory, help as well',
    fix: set('work_mem', "'4MB'"),
  };
}

function isOpenToNetwork(addresses: string): boolean {
  const local = ['localhost', '127.0.0.1', '::1', ''];
  return addresses.split(',').some((address) => !local.includes(address.trim()));
}

async function examinePending(subject: Subject): Promise<readonly Fault[]> {
  const settings = [...(await subject.once(readSettings)).values()];
  return settings
    .filter((setting) => setting.is_pending)
    .map(({ name, value }) => ({
      object: name,
      message: `${name} was changed and is still ${value === '' ? 'empty' : value} until a restart`,
      impact:
        'the next restart, whenever it comes, changes how the server behaves: restart it at a time of your choice, or revert the change in postgresql.conf',
      fix: null,
    }));
}

export const SETTING_CHECKS: readonly Check[] = [
  wrongWhen('fsync', 'off', 'on', 'critical', 'a crash of the machine may leave a database that cannot be repaired'),
  wrongWhen('full_page_writes', 'off', 'on', 'critical', 'a page half written at a crash stays damaged'),
  wrongWhen('zero_damaged_pages', 'on', 'off', 'critical', 'a damaged page is replaced by an empty one without a word'),
  wrongWhen('ignore_checksum_failure', 'on', 'off', 'critical', 'damaged data is returned as if it were sound'),
  wrongWhen(
    'synchronous_commit',
    'off',
    'on',
    'warning',
    'what was committed in the last moments before a crash is lost',
  ),
  wrongWhen('autovacuum', 'off', 'on', 'critical', 'dead rows pile up, and transaction ids run out'),
  wrongWhen('track_counts', 'off', 'on', 'critical', 'autovacuum does not know what to clean up, and does nothing'),
  wrongWhen(
    'password_encryption',
    'md5',
    "'scram-sha-256'",
    'warning',
    'new passwords of roles are kept as hashes that can be used to log in; set the passwords again afterwards',
  ),
  settingCheck('ssl', 'warning', 'ssl = off on a server that the network reaches', ({ value }, all) => {
    const addresses = all.get('listen_addresses')?.value ?? '';
    if (value !== 'off' || !isOpenToNetwork(addresses)) return undefined;
    return {
      message: `ssl is off, and the server listens on ${addresses}`,
      impact: 'passwords and every row travel in clear; ssl needs a certificate in ssl_cert_file and ssl_key_file',
      fix: set('ssl', 'on'),
    };
  }),
  settingCheck(
    'idle_in_transaction_session_timeout',
    'notice',
    'idle_in_transaction_session_timeout = 0: without a limit',
    ({ value }) =>
      value === '0'
        ? {
            message: 'a session may stay idle in a transaction for ever (idle_in_transaction_session_timeout is 0)',
            impact: 'a service that hangs holds its locks and keeps VACUUM from its work until it is ended',
            fix: set('idle_in_transaction_session_timeout', "'10min'"),
          }
        : undefined,
  ),
  settingCheck(
    'max_connections',
    'warning',
    'more connections times work_mem than the memory that shared_buffers suggests, twice over',
    memoryFault,
  ),
  {
    id: 'setting-pending-restart',
    area: 'settings',
    severity: 'notice',
    title: 'settings that were changed and wait for a restart',
    examine: onServer(examinePending),
  },
];
