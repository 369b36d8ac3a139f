/** Version of this program, as in package.json. */
export const rktVersion: string = '2.0.0'

/** Version of the App Container specification that images and pods follow. */
export const appcVersion: string = '0.8.11'

/** How HTTP servers see this program. */
export const userAgent: string = `rkt/${rktVersion}`
