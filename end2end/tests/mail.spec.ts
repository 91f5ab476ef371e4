import { LoginPage } from '../pages/login';
import { MailServer } from '../support/mail';
import { expect, test } from '../support/test';

// Mail through a server of another project, with TLS and a password.

test.use({ alone: true });

for (const mode of ['starttls', 'tls'] as const) {
  test(`a test message says what the server answers, with ${mode}`, async ({ server }) => {
    const mail = await MailServer.start(mode);
    const other = await MailServer.start(mode, 'localhost.example');
    try {
      await server.restart(mail.settings());
      const sent = await server.command(['mail', 'test', 'ada@example.com']);
      expect(sent.code, sent.stderr).toBe(0);
      expect(sent.stdout).toContain('Connected with TLSv1_3; the certificate is valid.');
      expect(sent.stdout).toContain('The mail server answered: 250 2.0.0 Ok: queued as 4711');
      const taken = await mail.next();
      expect(taken.to).toEqual(['ada@example.com']);
      expect(taken.headers.subject).toBe('Postern: test message');
      const refused = await server.command(['mail', 'test', 'nobody@example.com']);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('RCPT TO: the server answered: 550 5.1.1 No such user');
      // The certificate has another name.
      await server.restart(other.settings());
      const wrong = await server.command(['mail', 'test', 'ada@example.com']);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain('certificate');
      expect(other.mails).toEqual([]);
    } finally {
      mail.stop();
      other.stop();
    }
  });
}

test('a person proves an address by the link that was mailed', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  const mail = await MailServer.start('starttls');
  try {
    await server.restart(mail.settings());
    const ada = await server.person();
    await new LoginPage(page).signIn(ada);
    await page.goto('/dashboard/account/profile');
    await expect(page.getByRole('heading', { name: 'Prove your e-mail address' })).toHaveCount(0);
    await page.getByLabel('E-mail address').fill('ada@example.com');
    await page.getByRole('button', { name: 'Save profile' }).click();
    await expect(page.locator('#said')).toHaveText('Your profile is changed.');
    await page.getByRole('button', { name: 'Mail me a link' }).click();
    await expect(page.locator('#said')).toContainText('A message is on its way.');
    const { to, body } = await mail.next();
    expect(to).toEqual(['ada@example.com']);
    const link = /http\S+#code=[\w-]{43}/.exec(body)?.[0] ?? '';
    await page.goto(link);
    await expect(page.getByLabel('Code from the message')).toHaveValue(/^[\w-]{43}$/);
    await expect(page, 'the code is not left in the address bar').toHaveURL(/\/profile$/);
    await page.getByRole('button', { name: 'Prove this address' }).click();
    await expect(page.locator('#said')).toHaveText('Your e-mail address is proved.');
    await expect(page.getByText('You have proved this address.')).toBeVisible();
  } finally {
    mail.stop();
  }
});
