/** Any text with the passwords of the connection URLs in it masked. */
export function redactText(text: string): string {
  return text
    .replaceAll(/((?:postgres(?:ql)?|rediss?):\/\/[^\s:/@]*):[^\s@]*@/gi, '$1:***@')
    .replaceAll(/(\bpassword\s*=\s*)('[^']*'|[^\s&]+)/gi, '$1***');
}
