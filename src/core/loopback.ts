/** Which hosts are this machine alone: there, http is as good as https. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);

/** Whether what is sent to this URL can be read on the way by nobody else. */
export const isPrivateOnTheWay = (url: URL): boolean =>
  url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
