import { expect, test } from 'vitest';

import {
  findObstacles,
  otherVersions,
  type Needs,
  type TargetFacts,
} from '../../../../../src/features/backup/restore/obstacles.js';

const NEEDS: Needs = {
  roles: ['owner', 'public', 'pg_monitor'],
  extensions: [{ name: 'vector', version: '0.8.0' }],
  serverMajor: 17,
  sizeBytes: 5 * 1024 ** 3,
};
const FACTS: TargetFacts = {
  roleName: 'dba',
  serverMajor: 17,
  isSuperuser: false,
  canCreateDatabases: true,
  roles: [{ name: 'owner', isUsable: true }],
  extensions: [{ name: 'vector', defaultVersion: '0.8.1', versions: ['0.8.1'], needsSuperuser: false }],
  freeBytes: undefined,
};
const OPTIONS = { withoutOwners: false, rolesToCreate: [], createsDatabase: true };

test('a server that has all of it is no obstacle; another version of an extension is only told', () => {
  expect(findObstacles(NEEDS, FACTS, OPTIONS)).toEqual([]);
  expect(otherVersions(NEEDS, FACTS)).toEqual(['extension "vector" will be 0.8.1; the backup had 0.8.0']);
});

test('an older server, no right, no space, a role and an extension are all named', () => {
  const facts = {
    ...FACTS,
    serverMajor: 16,
    canCreateDatabases: false,
    freeBytes: 1024 ** 3,
    roles: [],
    extensions: [],
  };
  expect(findObstacles(NEEDS, facts, OPTIONS).map(({ problem }) => problem)).toEqual([
    'the backup comes from PostgreSQL 17, the server is the older 16',
    'role "dba" may not create databases',
    "the database had 5 GB, and the server's disk has 1 GB left",
    'role "owner" is missing',
    'extension "vector" 0.8.0 is not installed on the server',
  ]);
});

test('a role that is there but not for the one who restores is an obstacle, unless owners are left out', () => {
  const facts = { ...FACTS, roles: [{ name: 'owner', isUsable: false }] };
  expect(findObstacles(NEEDS, facts, OPTIONS)).toEqual([
    { problem: '"dba" is no member of role "owner", so it cannot give it anything', mend: 'grant "owner" to "dba";' },
  ]);
  expect(findObstacles(NEEDS, facts, { ...OPTIONS, withoutOwners: true })).toEqual([]);
  expect(findObstacles(NEEDS, { ...facts, roles: [] }, { ...OPTIONS, rolesToCreate: ['owner'] })).toEqual([]);
});
