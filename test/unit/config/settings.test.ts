import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { settingValue } from '../../../src/config/config.js';
import { loadEnvironment } from '../../../src/config/environment.js';
import { SETTINGS, type Setting, type SettingName } from '../../../src/config/settings.js';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function directoryWithEnv(text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-settings-'));
  directories.push(directory);
  writeFileSync(path.join(directory, '.env'), text);
  return directory;
}

const settings = Object.entries<Setting>(SETTINGS) as [SettingName, Setting][];

describe('a setting', () => {
  it.each(settings)('%s: flag before environment before .env before default', (name, setting) => {
    const cwd = directoryWithEnv(`${setting.env}=from-file\n`);
    const bare = directoryWithEnv('');
    const own = { [setting.env]: 'from-environment' };
    expect(settingValue(name, {}, loadEnvironment({}, bare).variables)).toBe(setting.default);
    expect(settingValue(name, {}, loadEnvironment({}, cwd).variables)).toBe('from-file');
    expect(settingValue(name, {}, loadEnvironment(own, cwd).variables)).toBe('from-environment');
    // An empty variable counts as not set, as in libpq.
    expect(settingValue(name, {}, loadEnvironment({ [setting.env]: '' }, cwd).variables)).toBe('from-file');
    if (setting.flag !== undefined)
      expect(settingValue(name, { [name]: 'from-flag' }, loadEnvironment(own, cwd).variables)).toBe('from-flag');
  });

  it('is read from a .env file with quotes, comments and export', () => {
    const cwd = directoryWithEnv('# here\nexport AISEC_SCHEMA="app one" # there\nAISEC_DATA_DIR=\'x\'\r\n');
    expect(loadEnvironment({}, cwd).variables).toMatchObject({ AISEC_SCHEMA: 'app one', AISEC_DATA_DIR: 'x' });
  });

  it('is not ignored when .env is a directory, unless that is an environment of Python', () => {
    const cwd = mkdtempSync(path.join(tmpdir(), 'aisec-test-settings-'));
    directories.push(cwd);
    mkdirSync(path.join(cwd, '.env'));
    expect(() => loadEnvironment({}, cwd)).toThrow(`"${path.join(cwd, '.env')}" is a directory, expected a file`);
    writeFileSync(path.join(cwd, '.env', 'pyvenv.cfg'), '');
    expect(loadEnvironment({ A: 'b' }, cwd).variables).toEqual({ A: 'b' });
  });
});
