cmake_minimum_required(VERSION 3.25)
project(__name__ LANGUAGES __languages__)

find_package(hookswitch-sdk REQUIRED)
add_sink_plugin(__name__ SOURCES __name__.__extension__ OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# The promises that every sink makes, and the cases of this one.
enable_testing()
find_program(HOOKSWITCH hookswitch HINTS ${hookswitch-sdk_DIR}/../../../bin REQUIRED)
add_test(NAME check COMMAND ${HOOKSWITCH} plugin check $<TARGET_FILE:sink___name__>
  --with ${CMAKE_SOURCE_DIR}/tests/config.yaml --cases ${CMAKE_SOURCE_DIR}/tests/cases)
