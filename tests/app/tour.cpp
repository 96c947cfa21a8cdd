// Opens a model, builds it in FP32, BF16 and within an accuracy limit, compares the first two and saves a picture of every page in both themes: tour FOLDER [MODEL [PART]]
// With PART only pictures whose names contain it. Without MODEL, or for "-", the sample.
#include <QApplication>
#include <QDir>
#include <QScrollArea>
#include <QScrollBar>
#include <QTabWidget>
#include <QTableView>
#include <QToolButton>
#include <cstdio>

#include "app/gui/action_list.h"
#include "app/gui/main_tool_bar.h"
#include "app/gui/page_docks.h"
#include "tests/app/gui_support.h"
#include "tests/app/odd_models.h"
#include "views/models/layer_table_model.h"
#include "views/pages/graph/graph_page.h"
#include "views/pages/layers/layers_page.h"
#include "views/pages/page.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/graph_canvas.h"
#include "views/widgets/key_value_view.h"

using namespace strobe;

namespace {

constexpr int kSettleMs = 400;

class Tour {
public:
    Tour(QString folder, QString model, QString part) : m_folder(std::move(folder)), m_model(std::move(model)), m_part(std::move(part)) { m_fixture.window().resize(1600, 1000); }

    int run() {
        MainWindow& window = m_fixture.window();
        window.show();
        if (!QTest::qWaitForWindowExposed(&window)) return fail("the window did not appear");
        bothThemes("start");
        window.openPath(m_model);
        if (!settleJobs() || !window.context().model()) return fail("the model did not open");
        bothThemes("graph-parsed-empty-pages");
        pages("before-");
        for (const char* precision : {"precisionFP32", "precisionBF16"}) {
            Theme::instance().setMode(precision == std::string_view("precisionFP32") ? ThemeMode::Light : ThemeMode::Dark);
            window.actions()[precision].trigger();
            window.actions()["build"].trigger();
            QTest::qWait(700);
            save(QStringLiteral("building-") + precision);
            if (!settleJobs()) return fail("the build did not end");
        }
        if (!window.context().currentBuild()) return fail(qPrintable("no build: " + window.errorShown()));
        window.actions()["compare"].trigger();
        if (!settleJobs()) return fail("the comparison did not end");
        selectSlowest();
        graphStates();
        pages({});
        insidePages();
        readmePicture();
        for (const ThemeMode mode : {ThemeMode::Dark, ThemeMode::Light}) {
            Theme::instance().setMode(mode);
            helpers();
        }
        for (const QSize size : {QSize(1280, 720), QSize(1200, 800)}) {
            window.resize(size);
            for (const char* page : {"layersPage", "comparePage", "exportPage", "settingsPage"}) {
                window.docks().show(page, false);
                bothThemes(QStringLiteral("small-%1-%2").arg(size.width()).arg(page));
            }
        }
        window.resize(1600, 1000);
        if (!limitedBuild()) return fail("the build within an accuracy limit failed");
        return oddModels();
    }

private:
    int fail(const char* why) {
        std::fprintf(stderr, "tour: %s\n", why);
        return 1;
    }
    bool settleJobs() {
        const testing::EventWatch watch;
        const bool ended = m_fixture.waitForJobs(300000);
        std::printf("an event waited at most %d ms\n", watch.worstMs());
        settle();
        return ended;
    }
    void settle() {
        QTest::qWait(kSettleMs);
        m_fixture.window().graphPage().canvas().waitForLayout();
        QTest::qWait(kSettleMs);
    }
    void save(const QString& name) {
        save(name, m_fixture.window());
    }
    void save(const QString& name, QWidget& widget) {
        if (!name.contains(m_part)) return;
        const QString theme = Theme::instance().isDark() ? "dark" : "light";
        const QString path = QDir(m_folder).filePath(QStringLiteral("%1-%2.png").arg(name, theme));
        widget.grab().save(path);
        std::printf("%s\n", qPrintable(path));
    }
    void bothThemes(const QString& name) {
        if (!name.contains(m_part)) return;
        for (const ThemeMode mode : {ThemeMode::Dark, ThemeMode::Light}) {
            Theme::instance().setMode(mode);
            settle();
            save(name);
        }
    }
    void selectSlowest() {
        WorkbenchContext& context = m_fixture.window().context();
        const auto& layers = context.currentBuild()->profile->layers;
        const auto slowest = std::max_element(layers.begin(), layers.end(), [](const auto& a, const auto& b) { return a.milliseconds.median < b.milliseconds.median; });
        context.selectLayer({GraphStage::Engine, context.currentBuild()->id, slowest->layer}, "tour");
    }
    void graphStates() {
        const std::pair<GraphStage, const char*> stages[] = {{GraphStage::Parsed, "graph-parsed"}, {GraphStage::Fused, "graph-fused"}, {GraphStage::Engine, "graph-engine"}};
        GraphPage& graph = m_fixture.window().graphPage();
        for (const auto& [stage, name] : stages) {
            graph.setStage(stage);
            settle();
            bothThemes(name);
        }
        const std::pair<GraphColour, const char*> colours[] = {{GraphColour::Family, "graph-by-family"},
                                                               {GraphColour::Precision, "graph-by-precision"},
                                                               {GraphColour::Memory, "graph-by-memory"},
                                                               {GraphColour::Divergence, "graph-by-divergence"}};
        for (const auto& [colour, name] : colours) {
            graph.setColour(colour);
            bothThemes(name);
        }
        graph.setColour(GraphColour::Time);
    }
    /// What a page shows at first is not all of it.
    void insidePages() {
        PageDocks& docks = m_fixture.window().docks();
        auto* scroll = docks.page("settingsPage")->findChild<QScrollArea*>();
        const int height = scroll->viewport()->height();
        for (int at = height, part = 2; at - height < scroll->verticalScrollBar()->maximum(); at += height, ++part) {
            scroll->verticalScrollBar()->setValue(at);
            bothThemes(QStringLiteral("settings-%1").arg(part));
        }
        scroll->verticalScrollBar()->setValue(0);
        auto* details = docks.page("inspectorPage")->findChild<KeyValueView*>();
        details->verticalScrollBar()->setValue(details->viewport()->height());
        bothThemes("inspector-2");
        docks.show("layersPage", false);
        auto* layers = static_cast<LayersPage*>(docks.page("layersPage"));
        layers->setGrouping(LayerGrouping::Op);
        bothThemes("layers-by-op");
        layers->setGrouping(LayerGrouping::None);
        docks.show("comparePage", false);
        auto* tabs = docks.page("comparePage")->findChild<QTabWidget*>();
        for (const int tab : {1, 2, 0}) {
            tabs->setCurrentIndex(tab);
            if (tab > 0) bothThemes(QStringLiteral("compare-%1").arg(tab + 1));
        }
    }
    /// The slowest layer of the first half that fusion made of several nodes, among its neighbours.
    void readmePicture() {
        MainWindow& window = m_fixture.window();
        const auto build = window.context().currentBuild();
        const LayerProfile* slowest = nullptr;
        for (const LayerProfile& layer : build->profile->layers)
            if (layer.provenance.size() >= 4 && 2 * layer.layer < static_cast<int>(build->profile->layers.size()) && (!slowest || layer.milliseconds.median > slowest->milliseconds.median)) slowest = &layer;
        window.docks().show("layersPage", false);
        window.graphPage().setStage(GraphStage::Fused);
        settle();
        if (slowest) window.context().selectLayer({GraphStage::Engine, build->id, slowest->layer}, "tour");
        settle();
        bothThemes("readme");
        window.graphPage().setStage(GraphStage::Engine);
        settle();
    }
    /// What stands before the window for a moment.
    void helpers() {
        MainWindow& window = m_fixture.window();
        window.actions()["palette"].trigger();
        QTest::qWait(kSettleMs);
        for (QWidget* palette : window.findChildren<CommandPalette*>()) save("palette", *palette);
        for (QWidget* palette : window.findChildren<CommandPalette*>()) palette->hide();
        QTimer::singleShot(kSettleMs, [this] {
            QWidget* sheet = QApplication::activeModalWidget();
            if (!sheet) return;
            save("keys", *sheet);
            sheet->close();
        });
        window.actions()["keys"].trigger();
        window.findChild<QToolButton*>("shapesButton")->click();
        settle();
        if (QWidget* popup = QApplication::activePopupWidget()) {
            save("shapes", *popup);
            popup->close();
        }
        focusRings();
    }
    /// Where the keyboard stands after each Tab, first from the toolbar.
    void focusRings() {
        MainWindow& window = m_fixture.window();
        window.docks().show("layersPage", false);
        window.findChild<QToolButton*>("openButton")->setFocus(Qt::TabFocusReason);
        for (int tab = 0; tab < 24; ++tab) {
            const QWidget* focus = QApplication::focusWidget();
            std::printf("tab %d: %s %s\n", tab, focus ? focus->metaObject()->className() : "none", focus ? qPrintable(focus->objectName()) : "");
            if (tab % 6 == 2) save(QStringLiteral("focus-%1").arg(tab));
            if (focus) QTest::keyClick(const_cast<QWidget*>(focus), Qt::Key_Tab);
            QTest::qWait(20);
        }
    }
    /// What a build within an accuracy limit says of itself on each page.
    bool limitedBuild() {
        Session& session = m_fixture.session();
        Settings settings = session.settings();
        settings.builder.precision = PrecisionMode::Bf16;
        settings.accuracyLimit = 0.01;
        session.setSettings(settings, "Accuracy limit 1 %");
        const size_t before = session.builds().size();
        m_fixture.window().actions()["build"].trigger();
        QTest::qWait(3000);
        bothThemes("building-limited");
        if (!settleJobs() || session.builds().size() == before) return false;
        WorkbenchContext& context = m_fixture.window().context();
        context.setCurrentBuild(session.builds().back()->id);
        selectSlowest();
        settle();
        pages("limited-");
        PageDocks& docks = m_fixture.window().docks();
        docks.show("layersPage", false);
        auto* layers = docks.page("layersPage")->findChild<QTableView*>("layerTable");
        layers->scrollTo(layers->model()->index(0, LayerTableModel::PrecisionNote));
        bothThemes("limited-layers-why");
        return true;
    }
    int oddModels() {
        const std::string problem = m_fixture.path("problem.onnx").toStdString(), large = m_fixture.path("large.onnx").toStdString();
        if (!testing::writeProblemModel(problem) || !testing::writeLargeModel(large, 10000)) return fail("the odd models could not be written");
        Session& session = m_fixture.session();
        session.openModel(problem);
        if (!settleJobs()) return fail("the model with problems did not open");
        m_fixture.window().docks().show("problemsPage", false);
        bothThemes("problems");
        m_fixture.window().context().selectNodes({1}, "tour");
        bothThemes("problems-selected");
        m_fixture.window().actions()["build"].trigger();
        if (!settleJobs()) return fail("the build of the model with problems did not end");
        bothThemes("problems-build");
        session.openModel(large);
        if (!settleJobs()) return fail("the large model did not open");
        bothThemes("large");
        m_fixture.window().graphPage().canvas().zoomToFit();
        bothThemes("large-whole");
        QFile::remove(QString::fromStdString(problem));
        m_fixture.reopen();
        m_fixture.window().show();
        for (const QSize size : {QSize(1280, 720), QSize(1600, 1000)}) {
            m_fixture.window().resize(size);
            bothThemes(QStringLiteral("start-recent-%1").arg(size.width()));
        }
        return 0;
    }
    void pages(const QString& prefix) {
        for (Page* page : m_fixture.window().docks().pages()) {
            m_fixture.window().docks().show(page->objectName(), false);
            bothThemes(prefix + page->objectName());
        }
    }

    testing::WindowFixture m_fixture;
    QString m_folder, m_model, m_part;
};

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setApplicationName("strobe-tour");
    if (argc < 2) {
        std::fprintf(stderr, "usage: tour FOLDER [MODEL [PART]]\n");
        return 2;
    }
    QDir().mkpath(argv[1]);
    return Tour(argv[1], argc > 2 && QString(argv[2]) != "-" ? QString(argv[2]) : testing::WindowFixture::samplePath(), argc > 3 ? argv[3] : "").run();
}
