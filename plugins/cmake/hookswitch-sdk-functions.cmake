# add_sink_plugin(<name> SOURCES a.cpp … [LINKS lib …] [OUTPUT_DIRECTORY dir])
#
# Makes the target sink_<name>, a library <name>.so that hookswitch loads for `plugin: <name>`. Only hsw_sink_entry is
# exported, and nothing in it is shared with another build of the same sink that is loaded beside it (after a reload):
# STB_GNU_UNIQUE symbols would be, hence -fno-gnu-unique. Missing symbols fail the link, not the first delivery.

function(add_sink_plugin NAME)
  cmake_parse_arguments(A "" "OUTPUT_DIRECTORY" "SOURCES;LINKS" ${ARGN})
  if(NOT NAME MATCHES "^[a-z0-9][a-z0-9_-]*$")
    message(FATAL_ERROR "add_sink_plugin: \"${NAME}\" must be lower-case letters, digits, '-' and '_': it is what `plugin:` names")
  endif()
  if(NOT A_SOURCES)
    message(FATAL_ERROR "add_sink_plugin(${NAME}): SOURCES is missing")
  endif()
  if(NOT A_OUTPUT_DIRECTORY)
    set(A_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/hookswitch/sinks)
  endif()
  set(TARGET sink_${NAME})
  add_library(${TARGET} MODULE ${A_SOURCES})
  target_link_libraries(${TARGET} PRIVATE hookswitch::sdk ${A_LINKS})
  target_compile_features(${TARGET} PRIVATE cxx_std_20 c_std_11)
  set_target_properties(${TARGET} PROPERTIES
    OUTPUT_NAME ${NAME} PREFIX "" SUFFIX ".so" LIBRARY_OUTPUT_DIRECTORY ${A_OUTPUT_DIRECTORY}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sink.map)
  target_compile_options(${TARGET} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${TARGET} PRIVATE -Wl,-z,now -Wl,--version-script,${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sink.map)
  # clang leaves the sanitizer's and the fuzzer's symbols to the program.
  get_directory_property(OPTIONS COMPILE_OPTIONS)
  if(NOT (CMAKE_CXX_COMPILER_ID MATCHES Clang AND "${OPTIONS} ${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS}" MATCHES "-fsanitize="))
    target_link_options(${TARGET} PRIVATE -Wl,-z,defs)
  endif()
  # hookswitch refuses a file or folder that others may write; some umasks make them so.
  add_custom_command(TARGET ${TARGET} POST_BUILD
    COMMAND chmod go-w $<TARGET_FILE:${TARGET}> $<TARGET_FILE_DIR:${TARGET}> VERBATIM)
endfunction()
