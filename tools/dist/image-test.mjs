// Checks the properties of the image: `node tools/dist/image-test.mjs CONFIG LAYOUT`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [config, layout] = process.argv.slice(2);
const { config: image, rootfs, created } = JSON.parse(readFileSync(config, 'utf8'));
assert.equal(image.User, '65532:65532');
assert.deepEqual(image.Entrypoint, ['/postern']);
assert.deepEqual(image.Volumes, { '/data': {} });
assert.equal(rootfs.diff_ids.length, 1, 'one layer');
assert.equal(Date.parse(created), Number(process.env.SOURCE_DATE_EPOCH) * 1000);

const blob = (digest) => JSON.parse(readFileSync(join(layout, 'blobs/sha256', digest.replace('sha256:', '')), 'utf8'));
const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
const manifest = blob(index.manifests[0].digest);
const { config: own } = blob(manifest.config.digest);
assert.deepEqual(own.Healthcheck.Test, ['CMD', '/postern', 'health']);
