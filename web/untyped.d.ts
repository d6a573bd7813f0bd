declare module "@highlightjs/cdn-assets/es/*" {
  const value: any;
  export default value;
}
