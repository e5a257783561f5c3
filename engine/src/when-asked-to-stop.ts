/** Calls once, when this process is told to end or the one that started it is gone. */
export function whenAskedToStop(stop: () => void): void {
  let stopping = false;
  for (const sign of ['SIGTERM', 'SIGINT', 'disconnect'])
    process.on(sign, () => {
      if (stopping) return;
      stopping = true;
      stop();
    });
}
