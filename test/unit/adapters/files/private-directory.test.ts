import path from 'node:path';

import { expect, test, vi } from 'vitest';

import { withPrivateDirectory } from '../../../../src/adapters/files/private-directory.js';

test('a TMPDIR that is not there is named, and is no fault of the tool', async () => {
  vi.stubEnv('TMPDIR', path.join(import.meta.dirname, 'missing'));
  await expect(withPrivateDirectory('aisec-test-', () => Promise.resolve())).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('missing", where temporary files go, cannot be written to'),
  });
  vi.unstubAllEnvs();
});
