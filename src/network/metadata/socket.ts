/** Where pods register. */
export const registrationPath = '/run/rkt/metadata-svc.sock'

/** Port for apps, unless the service says another. */
export const metadataPort = 18_112

/** In the answer to a registration: the port for apps. */
export const portHeader = 'x-rkt-metadata-port'
