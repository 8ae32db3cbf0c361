/** A connection URL without its password; a text that is no URL comes back as `(unreadable URL)`. */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '***');
    return parsed.toString();
  } catch {
    return '(unreadable URL)';
  }
}

/** Any text with the passwords of the connection URLs in it masked. */
export function redactText(text: string): string {
  return text
    .replaceAll(/(postgres(?:ql)?:\/\/[^\s:/@]*):[^\s@]*@/gi, '$1:***@')
    .replaceAll(/(\bpassword\s*=\s*)('[^']*'|[^\s&]+)/gi, '$1***');
}
