import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { runTool } from '../../../../src/adapters/pgtools/run-tool.js';
import { waitFor } from '../../../support/wait-for.js';

test('a program that is killed has its children killed, which would hold its streams open', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
  const [program, child] = [path.join(directory, 'pg_dump'), path.join(directory, 'child')];
  writeFileSync(
    program,
    `#!/bin/sh\nsleep 3600 &\necho $! >'${child}'.new\nmv '${child}'.new '${child}'\nkill -9 $$\n`,
    {
      mode: 0o700,
    },
  );
  const tool = { name: 'pg_dump', path: program, version: '17.0', major: 17 } as const;
  const run = runTool({ tool, args: [], environment: process.env, signal: new AbortController().signal });
  await expect(run).rejects.toMatchObject({ code: 'PG_TOOL_FAILED', message: 'pg_dump was ended by SIGKILL' });
  const pid = Number(readFileSync(child, 'utf8'));
  await waitFor(() =>
    Promise.resolve(!existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))),
  );
  rmSync(directory, { recursive: true });
});
