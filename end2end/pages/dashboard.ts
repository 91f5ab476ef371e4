import type { Locator, Page } from '@playwright/test';
import { at } from '../support/url';

/** The pages below `/dashboard`, with their frame. */
export class Dashboard {
  readonly heading: Locator;
  readonly name: Locator;
  readonly signOut: Locator;
  /** Cards of the devices page. */
  readonly devices: Locator;
  readonly endOthers: Locator;
  /** The message on the devices page about the last action. */
  readonly said: Locator;
  /** Lines of the activity page, and of the overview's last panel. */
  readonly events: Locator;

  constructor(readonly page: Page) {
    this.heading = page.getByRole('heading', { level: 1 });
    this.name = page.locator('.who .name');
    this.signOut = page.getByRole('button', { name: 'Sign out' });
    this.devices = page.locator('li.device');
    this.endOthers = page.getByRole('button', { name: 'End all other sessions' });
    this.said = page.locator('#said');
    this.events = page.locator('li.event');
  }

  async open(path = '/dashboard'): Promise<void> {
    await this.page.goto(path);
    await this.alive();
  }

  /** Waits until the page's code has loaded: its buttons do nothing before. */
  async alive(): Promise<void> {
    await this.page.waitForLoadState('networkidle');
  }

  /** Signs out. */
  async leave(): Promise<void> {
    await this.alive();
    await this.signOut.click();
    await this.page.waitForURL(at('/login?why=signed_out'));
  }

  /** The first line of each event, newest first. */
  async sentences(): Promise<string[]> {
    return this.events.locator('p:first-child').allTextContents();
  }
}
