import { describe, expect, test } from 'vitest';

import { parseStoreUrl, storeUrl } from '../../../src/config/store-url.js';

describe('the address of a store', () => {
  test.each([
    ['s3://backups', { bucket: 'backups', prefix: '' }],
    ['s3://backups/', { bucket: 'backups', prefix: '' }],
    ['s3://my.backups/prod/db/', { bucket: 'my.backups', prefix: 'prod/db/' }],
  ])('%s is a bucket and a directory', (text, place) => {
    expect(parseStoreUrl(text, undefined)).toEqual({ ...place, endpoint: undefined });
  });

  test.each([
    ['', 'invalid store address ""'],
    ['backups', 'invalid store address'],
    ['https://backups/x', 'invalid store address'],
    ['s3://', 'invalid bucket name'],
    ['s3://a b', 'invalid bucket name'],
    ['s3://backups//db', 'directory name in a store'],
    ['s3://backups/../db', 'directory name in a store'],
    ['s3://backups/db?region=eu', 'directory name in a store'],
  ])('"%s" is refused: %s', (text, message) => {
    expect(() => parseStoreUrl(text, undefined)).toThrow(message);
  });

  test.each(['', 'db.example', 'ftp://db.example', 'https://db.example/?x=1'])(
    'endpoint "%s" is refused',
    (endpoint) => {
      expect(() => parseStoreUrl('s3://backups', endpoint)).toThrow(/endpoint/);
    },
  );

  test('with a key in it is refused without showing it', () => {
    for (const [url, endpoint] of [
      ['s3://AKIA:s3cret@backups/x', undefined],
      ['s3://backups', 'https://AKIA:s3cret@db.example'],
    ] as const) {
      const refuse = (): unknown => parseStoreUrl(url, endpoint);
      expect(refuse).toThrow(/may not carry a key/);
      expect(refuse).not.toThrow(/s3cret/);
    }
  });

  test('is written as it was read, with the name of an object', () => {
    expect(storeUrl(parseStoreUrl('s3://backups/db', 'https://db.example:9000/'), 'app.dump')).toBe(
      's3://backups/db/app.dump',
    );
  });
});
