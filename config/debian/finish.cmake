# Run by cpack between installing and packing: what Debian wants otherwise than `cmake --install` puts it.
set(TREE ${CPACK_TEMPORARY_DIRECTORY})
file(GLOB_RECURSE TEXTS ${TREE}/*/usr/share/man/*.[1-8] ${TREE}/*/usr/share/doc/*/changelog)
execute_process(COMMAND gzip -9n ${TEXTS} COMMAND_ERROR_IS_FATAL ANY)
