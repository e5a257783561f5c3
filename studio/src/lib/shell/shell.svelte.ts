const COLLAPSED = 'plumbline.rail';

/** What stands around the pages: the rail, the command palette, the sheet of shortcuts. */
class Shell {
  collapsed = $state(localStorage.getItem(COLLAPSED) === 'collapsed');
  paletteOpen = $state(false);
  shortcutsOpen = $state(false);

  toggleRail(): void {
    this.collapsed = !this.collapsed;
    localStorage.setItem(COLLAPSED, this.collapsed ? 'collapsed' : 'open');
  }
}

export const shell = new Shell();
