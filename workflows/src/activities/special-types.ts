/** The node type that has a run hold a name. */
export const LOCK = 'core.lock';
/** The node type that starts a run of another flow and waits for its end. */
export const CALL = 'core.call-flow';
