import { copyFile, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Makes a project in a temporary directory that has the packages and settings of the one at `root`, and modules that only
 * import: `{ 'src/base/a.ts': ['./b.js', 'pg'] }`. Returns the directory; the caller removes it.
 */
export async function writeTree(root: string, modules: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const tree = await mkdtemp(path.join(tmpdir(), 'aisec-test-tree-'));
  await symlink(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  for (const file of ['package.json', 'tsconfig.json']) await copyFile(path.join(root, file), path.join(tree, file));
  for (const [file, imports] of Object.entries(modules)) {
    const target = path.join(tree, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, [...imports.map((name) => `import '${name}';`), 'export {};', ''].join('\n'));
  }
  return tree;
}
