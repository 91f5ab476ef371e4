// Prints the time of a sign-in by passkey in Chromium, in milliseconds: a list of times from the press of the button
// until the dashboard can be read, without the authenticator's time.
import { openLogin, withChromium } from './chromium.mjs';

const origin = process.argv[2];
const TIMES = 20;

// Runs in every page before its own code: records the press of the button and the authenticator's time.
function mark() {
  addEventListener('click', (event) => {
    if (event.target.closest('#passkey')) sessionStorage.setItem('pressed', String(performance.timeOrigin + performance.now()));
  }, true);
  const { get } = CredentialsContainer.prototype;
  window.offers = 0;
  CredentialsContainer.prototype.get = async function (options) {
    const offer = options.mediation === 'conditional';
    const asked = performance.now();
    const answer = get.call(this, options);
    if (offer) window.offers += 1;
    const credential = await answer;
    if (!offer) sessionStorage.setItem('authenticator', String(performance.now() - asked));
    return credential;
  };
}

const measured = await withChromium(async (browser) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(mark);
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options });
  const present = (enabled) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  await openLogin(page, origin);
  await page.fill('#username', 'bench');
  await page.fill('#password', 'tadumi-verosa-kelunu-pidira');
  await page.press('#password', 'Enter');
  await page.waitForURL(`${origin}/dashboard`);
  await page.goto(`${origin}/dashboard/account`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.locator('.passkey').waitFor();
  const times = [];
  for (let i = 0; i < TIMES; i += 1) {
    await present(false);
    await context.clearCookies();
    await openLogin(page, origin);
    await page.waitForFunction(() => window.offers > 0);
    await present(true);
    await page.click('#passkey');
    await page.waitForURL(`${origin}/dashboard`);
    times.push(
      await page.evaluate(() => {
        const read = performance.timeOrigin + performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
        return read - Number(sessionStorage.getItem('pressed')) - Number(sessionStorage.getItem('authenticator'));
      }),
    );
  }
  return times;
});

console.log(JSON.stringify(measured));
