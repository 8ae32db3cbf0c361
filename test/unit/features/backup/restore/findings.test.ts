import { expect, test } from 'vitest';

import {
  preflightFindings,
  otherVersions,
  type Requirements,
  type TargetFacts,
} from '../../../../../src/features/backup/restore/findings.js';

const NEEDS: Requirements = {
  roles: ['owner', 'public', 'pg_monitor'],
  owners: ['owner'],
  indispensableRoles: [],
  extensions: [{ name: 'vector', version: '0.8.0' }],
  serverMajor: 17,
  sizeBytes: 5 * 1024 ** 3,
};
const FACTS: TargetFacts = {
  roleName: 'dba',
  serverMajor: 17,
  canCreateDatabases: true,
  roles: [{ name: 'owner', isUsable: true }],
  extensions: [{ name: 'vector', defaultVersion: '0.8.1', versions: ['0.8.1'], isRefused: false }],
  freeBytes: undefined,
};
const OPTIONS = {
  withoutOwners: false,
  withoutPrivileges: false,
  rolesToCreate: [],
  canCreateRoles: true,
  createsDatabase: true,
};

test('a server that has all of it is no finding; another version of an extension is only a warning', () => {
  expect(preflightFindings(NEEDS, FACTS, OPTIONS)).toEqual([]);
  expect(otherVersions(NEEDS, FACTS)).toEqual(['extension "vector" will be 0.8.1; the backup had 0.8.0']);
});

test('an older server, no privilege, no space, a role and an extension are all named', () => {
  const facts = {
    ...FACTS,
    serverMajor: 16,
    canCreateDatabases: false,
    freeBytes: 1024 ** 3,
    roles: [],
    extensions: [],
  };
  expect(preflightFindings(NEEDS, facts, OPTIONS).map(({ message }) => message)).toEqual([
    'the backup is of PostgreSQL 17, and the server is the older 16',
    'role "dba" may not create databases',
    "the database had 5 GB, and the server's disk has 1 GB left",
    'role "owner" is missing',
    'extension "vector" 0.8.0 is not installed on the server',
  ]);
});

test('a role that is there but not for the one who restores is a finding, unless owners are left out', () => {
  const facts = { ...FACTS, roles: [{ name: 'owner', isUsable: false }] };
  expect(preflightFindings(NEEDS, facts, OPTIONS)).toEqual([
    {
      id: 'restore-membership:"owner"',
      severity: 'critical',
      object: '"owner"',
      message: 'role "dba" is not a member of role "owner"',
      impact: '"dba" cannot make "owner" the owner of anything; --no-owner leaves owners out',
      fix: 'grant "owner" to "dba";',
    },
  ]);
  expect(preflightFindings(NEEDS, facts, { ...OPTIONS, withoutOwners: true })).toEqual([]);
  // Who is granted something, or named by a policy, needs no member.
  expect(preflightFindings({ ...NEEDS, owners: [] }, facts, OPTIONS)).toEqual([]);
  expect(preflightFindings(NEEDS, { ...facts, roles: [] }, { ...OPTIONS, rolesToCreate: ['owner'] })).toEqual([]);
});

test('a missing role says what can be done about it, with options of this command alone', () => {
  const facts = { ...FACTS, roles: [] };
  const impact = (needs: Partial<Requirements>, options: Partial<typeof OPTIONS>): string | undefined =>
    preflightFindings({ ...NEEDS, ...needs }, facts, { ...OPTIONS, ...options })[0]?.impact;
  const create = '--create-roles or --globals creates all missing roles';
  expect(impact({}, {})).toBe(
    `its objects and privileges cannot be restored; ${create}, --no-owner and --no-privileges leave them out`,
  );
  expect(impact({}, { canCreateRoles: false })).toBe(
    'its objects and privileges cannot be restored; --no-owner and --no-privileges leave them out',
  );
  expect(impact({}, { withoutOwners: true })).toBe(
    `its privileges cannot be restored; ${create}, --no-privileges leaves them out`,
  );
  const ofPolicy = { indispensableRoles: ['owner'] };
  for (const leftOut of [{}, { withoutOwners: true, withoutPrivileges: true }]) {
    expect(impact(ofPolicy, leftOut)).toBe(`a policy names it, which cannot be left out; ${create}`);
    expect(impact(ofPolicy, { ...leftOut, canCreateRoles: false })).toBe('a policy names it, which cannot be left out');
  }
});
