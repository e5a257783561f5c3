/** One page, drawn in the browser: the engine serves `index.html` for every address. */
export const ssr = false;
export const prerender = false;
