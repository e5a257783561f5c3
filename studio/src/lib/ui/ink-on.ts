/** Black or white, whichever reads better on a `#rrggbb` colour (WCAG relative luminance). */
export function inkOn(color: string): string {
  const channels = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(color)?.slice(1);
  if (!channels) return '#ffffff';
  const [red = 0, green = 0, blue = 0] = channels.map((hex) => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // Above this, black has the higher contrast: (l + .05) / .05 > 1.05 / (l + .05).
  return luminance > 0.179 ? '#111111' : '#ffffff';
}
