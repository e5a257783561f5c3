/** Names that clients and workflow code agree on. */
export const names = {
  carrier: 'runCarrier',
  decide: 'decide',
  wake: 'wake',
  cancel: 'cancelRun',
  taskQueue: 'plumbline',
} as const;
