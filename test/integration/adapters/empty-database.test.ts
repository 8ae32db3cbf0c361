import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dropTemplates } from '../../../src/adapters/embedded/drop-templates.js';
import { startPGlite } from '../../../src/adapters/embedded/embedded.js';
import { emptyDatabaseTar, unpackTar } from '../../../src/adapters/embedded/empty-database.js';
import { packageFile } from '../../../src/base/package-file.js';

/** Caches and what names the moment of creation. */
const DIFFERENT = /pg_internal\.init$|^global\/pg_control$|^pg_wal\/0/;

async function contentsOf(directory: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries.map(async (entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(directory, file), entry.isFile() ? await readFile(file, 'base64') : 'directory'] as const;
    }),
  );
  const compared = files.filter(([name]) => !DIFFERENT.test(name));
  return Object.fromEntries(compared.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

describe('the empty database of the package', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'aisec-test-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('is the one that initdb makes, without the databases that cannot be reached', async () => {
    const [unpacked, made] = [path.join(root, 'unpacked'), path.join(root, 'made')];
    const tar = await emptyDatabaseTar();
    await unpackTar(tar ?? Buffer.alloc(0), unpacked);
    const engine = await startPGlite(made);
    await dropTemplates(engine);
    await engine.close();
    const [ours, initdb] = [await contentsOf(unpacked), await contentsOf(made)];
    expect(Object.keys(ours)).toEqual(Object.keys(initdb));
    expect(Object.keys(ours).filter((name) => ours[name] !== initdb[name])).toEqual([]);
  });

  test('is refused when a byte of it is damaged', async () => {
    const file = path.join(root, 'damaged');
    const bytes = await readFile(packageFile('dist/bundle/empty-database.tar.br'));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(emptyDatabaseTar(file)).rejects.toMatchObject({
      code: 'EMBEDDED_FAILED',
      detail: `${file} of this installation of aisec is damaged.`,
      hint: 'Install aisec again.',
    });
  });
});
