include(${CMAKE_CURRENT_LIST_DIR}/hookswitch-sdk-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/hookswitch-sdk-functions.cmake)
