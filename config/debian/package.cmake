# The Debian packages that `cpack` makes in a build folder: hookswitch, the router, and hookswitch-dev, the SDK. Files
# that only a package has belong to components that `cmake --install` leaves out.
set(DEBIAN ${CMAKE_CURRENT_LIST_DIR})
set(MADE ${CMAKE_BINARY_DIR}/debian)

# The config that is installed: the sample, whose sink needs a secret that only the operator has, with its end commented.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/hookswitch.yaml)
file(READ ${CMAKE_SOURCE_DIR}/config/hookswitch.yaml SAMPLE)
string(FIND "${SAMPLE}" "\nsinks:\n" SINKS)
string(SUBSTRING "${SAMPLE}" 0 ${SINKS} CONFIG)
string(SUBSTRING "${SAMPLE}" ${SINKS} -1 SINKS)
string(REGEX REPLACE "\n([^\n])" "\n# \\1" SINKS "${SINKS}")
string(APPEND CONFIG "
# What comes in is stored, and nothing is sent yet. To send it to Slack, put SLACK_WEBHOOK_URL=… into
# /etc/hookswitch/environment, take the \"# \" from the lines below, and run `hookswitch reload`.${SINKS}")
file(CONFIGURE OUTPUT ${MADE}/hookswitch.yaml CONTENT "${CONFIG}" @ONLY)

install(FILES ${MADE}/hookswitch.yaml DESTINATION /etc/hookswitch COMPONENT debian EXCLUDE_FROM_ALL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/config/rules.d DESTINATION /etc/hookswitch COMPONENT debian EXCLUDE_FROM_ALL)
foreach(PACKAGE hookswitch hookswitch-dev)
  string(REPLACE hookswitch debian COMPONENT ${PACKAGE})
  install(FILES ${DEBIAN}/copyright ${DEBIAN}/changelog DESTINATION share/doc/${PACKAGE} COMPONENT ${COMPONENT} EXCLUDE_FROM_ALL)
endforeach()
file(WRITE ${MADE}/conffiles "/etc/hookswitch/hookswitch.yaml\n/etc/hookswitch/rules.d/billing.yaml.example\n")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The hookswitch maintainers <maintainers@hookswitch.invalid>")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL Unspecified debian sdk debian-dev)
set(CPACK_COMPONENT_UNSPECIFIED_GROUP router)
set(CPACK_COMPONENT_DEBIAN_GROUP router)
set(CPACK_COMPONENT_SDK_GROUP dev)
set(CPACK_COMPONENT_DEBIAN-DEV_GROUP dev)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${DEBIAN}/finish.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_ROUTER_PACKAGE_NAME hookswitch)
set(CPACK_DEBIAN_ROUTER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_ROUTER_DESCRIPTION "notification router for voice-call platforms
hookswitch takes the webhooks that a voice-AI platform posts at each step of
a call, decides by YAML rules who should hear of it, and delivers it to Slack,
or to anything else that a sink plugin speaks.

What was answered is on disk, every delivery ends visibly, and every decision
can be explained.")
set(CPACK_DEBIAN_ROUTER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_ROUTER_PACKAGE_DEPENDS "adduser, ca-certificates, tzdata")
set(CPACK_DEBIAN_ROUTER_PACKAGE_RECOMMENDS systemd)
set(CPACK_DEBIAN_ROUTER_PACKAGE_SUGGESTS hookswitch-dev)
set(CPACK_DEBIAN_ROUTER_PACKAGE_CONTROL_EXTRA ${MADE}/conffiles ${DEBIAN}/postinst ${DEBIAN}/prerm ${DEBIAN}/postrm)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME hookswitch-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_DESCRIPTION "notification router for voice-call platforms (SDK for sinks)
The headers and CMake functions that a sink plugin for hookswitch is built
with. The package hookswitch has `hookswitch plugin new`, which writes a
project to start from, and `hookswitch plugin check`, which tries it.")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "hookswitch, cmake, g++")
include(CPack)
