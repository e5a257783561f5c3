/** Names that clients and workflow code agree on. */
export const names = {
  carrier: 'runCarrier',
  decide: 'decide',
  wake: 'wake',
  cancel: 'cancelRun',
  look: 'look',
  taskQueue: 'plumbline',
} as const;
