/** The file system within the engine, as Emscripten has it; its types are in a package of their own. */
interface EngineFiles {
  mkdirTree(path: string): void;
  /** `canOwn`: the content becomes the file instead of being copied. */
  writeFile(path: string, content: Uint8Array, options?: { readonly canOwn: boolean }): void;
}

/** The engine as Emscripten knows it. */
export interface EngineModule {
  readonly FS: EngineFiles;
}
