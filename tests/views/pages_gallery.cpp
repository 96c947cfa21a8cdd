// Shows every page with the results of a real model and saves one PNG a page and theme:
// pages_gallery FOLDER [MODEL.onnx [INPUTS.npz]]
#include <QApplication>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>
#include <cstdio>

#include "kernels/cpu/register.h"
#include "views/models/workbench_context.h"
#include "views/pages/compare/compare_page.h"
#include "views/pages/export/export_page.h"
#include "views/pages/layers/layers_page.h"
#include "views/pages/log/log_page.h"
#include "views/pages/problems/problems_page.h"
#include "views/pages/settings/settings_page.h"
#include "views/widgets/theme.h"

using namespace strobe;

namespace {

constexpr QSize kFull{1600, 900}, kDock{1240, 320}, kNarrow{300, 900};

struct Shot {
    Page* page;
    QString name;
    QSize size;
};

class Gallery {
public:
    explicit Gallery(QString folder) : m_folder(std::move(folder)) {}

    bool save(const std::vector<Shot>& shots) {
        bool isSaved = true;
        for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark}) {
            Theme::instance().setMode(mode);
            for (const Shot& shot : shots) {
                shot.page->resize(shot.size);
                shot.page->show();
                QTest::qWait(60);
                const QString name = shot.name + (mode == ThemeMode::Light ? "_light" : "_dark");
                isSaved = shot.page->grab().save(m_folder + '/' + name + ".png") && isSaved;
                shot.page->hide();
            }
        }
        return isSaved;
    }

private:
    QString m_folder;
};

// FP32 and BF16 of the model, compared; then a job that fails, for the log.
bool fillSession(Session& session, const std::string& model, const std::string& inputs) {
    const auto succeeded = [](const Status& status) {
        if (!status.isOk()) std::fprintf(stderr, "%s\n", status.message().c_str());
        return status.isOk();
    };
    if (!succeeded(session.jobs().wait(session.openModel(model)))) return false;
    Settings settings = session.settings();
    settings.profileMs = 300;
    settings.builder.optimizationLevel = 2;
    // One thread: the pictures do not wait for a busy machine's other core.
    settings.builder.threads = 1;
    settings.inputFile = inputs;
    for (const PrecisionMode mode : {PrecisionMode::Fp32, PrecisionMode::Bf16}) {
        settings.builder.precision = mode;
        if (mode == PrecisionMode::Bf16) settings.builder.precisionRules = {{"op:Softmax", DataType::Float32}, {"nothing*", DataType::Float32}};
        session.setSettings(settings, "Precision");
        if (!succeeded(session.jobs().wait(session.buildAndProfile()))) return false;
    }
    const auto builds = session.builds();
    if (!succeeded(session.jobs().wait(session.compare(builds[0]->id, builds[1]->id)))) return false;
    settings.builder.disabledPasses.insert("ConstantFolding");
    settings.builder.bannedTactics.insert("simd.depthwise");
    settings.builder.pinnedTactics["first"] = "onednn.conv";
    session.setSettings(settings, "Passes");
    return !session.jobs().wait(session.exportEngine(builds[0]->id, "/nowhere/model.engine")).isOk();
}

}  // namespace

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    const QStringList arguments = app.arguments();
    Theme::instance().install();
    Gallery gallery(arguments.value(1, "."));
    KernelRegistry kernels;
    registerCpuKernels(kernels);
    Session empty(kernels);
    WorkbenchContext nothing(empty);
    LayersPage noLayers(nothing);
    ComparePage noComparison(nothing);
    ProblemsPage noProblems(nothing);
    ExportPage noExport(nothing);
    SettingsPage noModel(nothing);
    bool isSaved = gallery.save({{&noLayers, "empty_layers", kDock}, {&noComparison, "empty_compare", kDock}, {&noProblems, "empty_problems", kDock},
                                 {&noExport, "empty_export", kDock}, {&noModel, "empty_settings", kNarrow}});

    Session session(kernels);
    const std::string sample = "resources/sample/";
    const bool isSample = arguments.size() < 3;
    if (!fillSession(session, isSample ? sample + "digits.onnx" : arguments[2].toStdString(),
                     isSample ? sample + "digits_heldout.npz" : arguments.value(3).toStdString()))
        return 1;
    WorkbenchContext context(session);
    LayersPage layers(context), groups(context);
    groups.setGrouping(LayerGrouping::Op);
    ComparePage compare(context);
    ProblemsPage problems(context);
    SettingsPage settings(context);
    ExportPage exported(context);
    LogPage log(context);
    isSaved = gallery.save({{&layers, "layers_full", kFull}, {&layers, "layers_dock", kDock}, {&groups, "layers_by_op", kDock}, {&compare, "compare_full", kFull},
                            {&compare, "compare_dock", kDock}, {&problems, "problems", kDock}, {&settings, "settings_narrow", {300, 2600}},
                            {&settings, "settings_wide", {900, 2200}}, {&exported, "export_full", kFull}, {&exported, "export_dock", kDock}, {&log, "log", kDock}}) &&
              isSaved;
    return isSaved ? 0 : 1;
}
