#include "core/cli/cli.h"

int main(int argc, char** argv) {
  return hookswitch::cli::Main(argc, argv);
}
