// Prints the time of sealing in Chromium, in milliseconds: lists for fresh profiles, for fresh pages, and for one page
// used repeatedly.
import { openLogin, withChromium } from './chromium.mjs';

const origin = process.argv[2];
const TIMES = 20;

// Runs in the page before its own code: records the times, and keeps the sealed message from being sent. After the
// answer in its place the form can be used again.
function mark() {
  const marks = (window.marks = []);
  const note = (name) => marks.push([name, performance.now()]);
  addEventListener('submit', () => note('submit'), true);
  const fetch = window.fetch;
  window.fetch = async (path, init) => {
    if (String(path).endsWith('/api/login')) {
      note('sealed');
      const problem = { status: 503, code: 'busy', title: 'Measured.' };
      return new Response(JSON.stringify(problem), { status: 503, headers: { 'content-type': 'application/problem+json' } });
    }
    if (String(path).endsWith('/api/challenge')) {
      note('asked');
      const answer = await fetch(path, init);
      const text = await answer.text();
      note('challenged');
      return new Response(text, answer);
    }
    return fetch(path, init);
  };
}

async function newPage(context) {
  const page = await context.newPage();
  await page.addInitScript(mark);
  await openLogin(page, origin);
  return page;
}

async function seal(page) {
  await page.fill('#username', 'bench');
  await page.fill('#password', 'tadumi-verosa-kelunu-pidira');
  await page.evaluate(() => void (window.marks.length = 0));
  await page.press('#password', 'Enter');
  await page.waitForFunction(() => window.marks.some(([name]) => name === 'sealed'));
  await page.locator('form [type=submit]:enabled').waitFor();
  const at = Object.fromEntries(await page.evaluate(() => window.marks));
  return at.asked - at.submit + (at.sealed - at.challenged);
}

async function times(count, once) {
  const list = [];
  for (let i = 0; i < count; i += 1) list.push(await once());
  return list;
}

const measured = await withChromium(async (browser) => {
  const freshProfiles = await times(5, async () => {
    const context = await browser.newContext();
    const time = await seal(await newPage(context));
    await context.close();
    return time;
  });
  const context = await browser.newContext();
  const page = await newPage(context);
  await seal(page);
  const samePage = await times(TIMES, () => seal(page));
  const freshPages = await times(TIMES, async () => {
    const page = await newPage(context);
    const time = await seal(page);
    await page.close();
    return time;
  });
  return { freshProfiles, freshPages, samePage };
});

console.log(JSON.stringify(measured));
