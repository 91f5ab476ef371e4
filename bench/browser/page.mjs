// Prints the files that Chromium loads for /login: [{ name, bytes }], with the bytes that were transferred.
import http from 'node:http';
import { openLogin, withChromium } from './chromium.mjs';

const origin = process.argv[2];

const name = (path) => path.replace('/pkg/', '').replace(/\.[0-9a-f]{16}\./, '.');

const loaded = await withChromium(async (browser) => {
  const page = await browser.newPage();
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Network.enable');
  const paths = new Map();
  const files = [];
  protocol.on('Network.requestWillBeSent', ({ requestId, request }) => {
    paths.set(requestId, new URL(request.url).pathname);
  });
  protocol.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    files.push({ name: paths.get(requestId), bytes: encodedDataLength });
  });
  await openLogin(page, origin);
  await page.waitForLoadState('networkidle');
  return files;
});

// Without a window Chromium shows no icon and does not load one.
const icon = '/favicon.svg';
if (!loaded.some((file) => file.name === icon)) {
  const bytes = await new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip, deflate, br, zstd', connection: 'close' };
    http
      .get(origin + icon, { headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.socket.bytesRead));
      })
      .on('error', reject);
  });
  loaded.push({ name: icon, bytes });
}

console.log(JSON.stringify(loaded.map((file) => ({ ...file, name: name(file.name) }))));
