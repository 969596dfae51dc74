// What a plugin needs that was linked with a library beside it.
__attribute__((visibility("default"))) int a_function_that_no_library_has(void);
int a_function_that_no_library_has(void) {
  return 1;
}
