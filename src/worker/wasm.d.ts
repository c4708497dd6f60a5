/** The bundler makes a compiled module of the file that `wrangler.toml` names. */
declare module '@cedar-policy/cedar-wasm/web/cedar_wasm_bg.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
