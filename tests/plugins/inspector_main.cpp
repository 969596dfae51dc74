#include <string_view>

#include "core/plugins/plugin_host.h"

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "plugin-inspect-child") return 2;
  hookswitch::InspectChildMain(argv[2]);
}
