const KEY = 'plumbline.inspector-width';
const low = 380;
const high = 480;

/** How wide the inspector is; kept in this browser. */
class PanelWidth {
  #width = $state(clamp(Number(localStorage.getItem(KEY)) || 400));
  readonly low = low;
  readonly high = high;

  get width(): number {
    return this.#width;
  }

  set width(width: number) {
    this.#width = clamp(width);
    localStorage.setItem(KEY, String(this.#width));
  }
}

function clamp(width: number): number {
  return Math.round(Math.min(Math.max(width, low), high));
}

export const panelWidth = new PanelWidth();
