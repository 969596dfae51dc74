import {registerUnknown, register} from "./router.js";
import {start} from "./shell.js";
import {views, unknown} from "./views.js";

for (const view of views) register(view);
registerUnknown(unknown);
start();
